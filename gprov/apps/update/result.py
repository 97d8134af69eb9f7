"""What a round of the agent leaves to be done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoundResult:
    """``pause``: seconds until the next round; 0 if there is more to do now. ``waiting``: for what, "" for nothing."""

    pause: float
    waiting: str = ""
