"""Block devices: which there are, what they hold, and being told when that changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gprov.domain.disk.model import Contents, Disk


class DeviceChanges(Protocol):
    """A subscription to block-device events; open from the moment it was made, so that no event is lost."""

    def wait(self, seconds: float) -> bool:
        """Block until a block device appears, vanishes or changes, at most ``seconds``. False: nothing happened."""


class BlockDevices(Protocol):
    def disks(self) -> tuple[Disk, ...]:
        """Every non-virtual whole disk with a medium, by name. Loop, RAM, md, dm and optical devices are left out."""

    def contents(self, node: str) -> Contents:
        """Probe the superblocks of a device file. Raises DeviceMissing, DeviceFault (an unreadable device)."""

    def changes(self) -> AbstractContextManager[DeviceChanges]:
        """Subscribe. Use: subscribe, scan, and only then wait."""

    def read(self, node: str, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes at ``offset``, bypassing nothing. Raises DeviceFault (also if the device ends)."""
