"""Drawing a person's attention to the unit."""

from __future__ import annotations

from typing import Protocol


class Attention(Protocol):
    def alarm(self) -> None:
        """Beep, and switch the identify light of the chassis on for some minutes. Returns at once and never raises:
        most units lack a speaker or a management controller. To be repeated each minute while it is needed."""
