"""Writing partition tables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.boot.grub.install import Loader
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk


class Partitioner(Protocol):
    """Nothing is written to another disk than the one that ``disk`` describes, whatever has its number by now."""

    def clear(self, disk: Disk, head: int, tail: int) -> None:
        """Overwrite the first ``head`` and last ``tail`` bytes with zeros, flush, and make the kernel forget
        the partitions. Raises DeviceFault (also if a partition is in use)."""

    def write(self, disk: Disk, table: PartitionTable, loader: Loader | None = None) -> Disk:
        """Replace the partition table, with the loader that a BIOS starts, and flush both: whatever is cut, the disk
        has no valid first sector, or one with table and whole loader. When this returns, every planned partition has
        its device node; the disk is returned as it is now. Raises DeviceFault, DeadlineExceeded (nodes did not appear),
        BadInput (files that are no loader)."""
