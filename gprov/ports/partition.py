"""Writing partition tables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk


class Partitioner(Protocol):
    def clear(self, disk: Disk, head: int, tail: int) -> None:
        """Overwrite the first ``head`` and last ``tail`` bytes with zeros, flush, and make the kernel forget
        the partitions. Raises DeviceFault (also if a partition is in use)."""

    def write(self, disk: Disk, table: PartitionTable) -> Disk:
        """Replace the partition table and flush it. When this returns, every planned partition has its device
        node; the disk is returned as it is now. Raises DeviceFault, DeadlineExceeded (nodes did not appear)."""
