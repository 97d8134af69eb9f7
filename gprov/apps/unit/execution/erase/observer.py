"""What an erase reports while it works."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.model import Disk
from gprov.domain.erase.record import DiskProgress


class ErasureObserver(Protocol):
    """Called from the thread of each disk. May raise GprovError, which ends the erase of that disk."""

    def begun(self, disk: Disk, progress: DiskProgress) -> None:
        """A technique begins, or ended. Recorded durably before the method returns."""

    def advanced(self, disk: Disk, progress: DiskProgress) -> None:
        """Called now and then; recorded at intervals."""

    def shown(self, disk: Disk, task: str, done: int, total: int) -> None:
        """Progress of one task for display; bytes, or parts of FRACTION (gprov.domain.estimate)."""
