"""Block devices: list, contents, and change notifications."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gprov.domain.disk.model import Contents, Disk


class DeviceChanges(Protocol):
    """A subscription to block-device events. Events since its creation are not lost."""

    def wait(self, seconds: float) -> bool:
        """Wait until a block device appears, vanishes or changes, at most ``seconds``. False: timeout."""


class BlockDevices(Protocol):
    def disks(self) -> tuple[Disk, ...]:
        """All disks (whole, non-virtual, with a medium), sorted by name. Excludes loop, RAM, md, dm and optical
        devices."""

    def contents(self, node: str) -> Contents:
        """Probe the superblocks of a device file. Raises DeviceMissing, DeviceFault (an unreadable device)."""

    def changes(self) -> AbstractContextManager[DeviceChanges]:
        """Subscribe to changes. Order of use: subscribe, scan, then wait."""

    def read(self, node: str, offset: int, size: int) -> bytes:
        """Read exactly ``size`` bytes at ``offset``. Raises DeviceFault (also at the end of the device)."""
