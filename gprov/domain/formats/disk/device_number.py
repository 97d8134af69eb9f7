"""Major and minor number of a block device."""

from __future__ import annotations

from typing import NamedTuple

from typing_extensions import override


class DeviceNumber(NamedTuple):
    """Kernel identity of a block device while it exists: what by-label links, /dev nodes and mounts resolve to."""

    major: int
    minor: int

    @override
    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"
