"""Clearing disks and writing partition tables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.boot.grub.install import Loader
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk


class Partitioner(Protocol):
    """Both methods raise DeviceFault, without writing, if the device number of ``disk`` now belongs to another disk."""

    def clear(self, disk: Disk, head: int, tail: int) -> None:
        """Overwrite the first ``head`` and last ``tail`` bytes with zeros, flush, and remove the partitions from the
        kernel. Raises DeviceFault (also if a partition is in use)."""

    def write(self, disk: Disk, table: PartitionTable, loader: Loader | None = None) -> Disk:
        """Replace the partition table, and write the loader that a BIOS starts; flush both. After a power cut at any
        time, the first sector is either not valid, or there are a table and the complete loader. On return, every
        planned partition has its device node; the disk is returned with these partitions. Raises DeviceFault,
        DeadlineExceeded (no device node), BadInput (``loader`` is not a loader)."""
