"""Mount points. A module of its own: every boot needs it, and imports are time on every boot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """Where volumes are mounted while gprov works on them."""

    recovery: str = "/mnt/RECOVERY"
    esp: str = "/mnt/RECOVERY/ESP"
    primary: str = "/mnt/PRIMARY"
    root: str = "/newroot"
