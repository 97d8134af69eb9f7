"""Network interfaces: which are ours, in which order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nic:
    """One Ethernet interface. ``mac`` in lower case with colons; ``carrier``: a link was seen when it was up."""

    name: str
    mac: str
    driver: str = ""
    carrier: bool = False
