"""Partition tables as values, written by the ``Partitioner`` port. Offsets and sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
# Starts and ends of partitions: a multiple of all usual sector, page and erase-block sizes.
ALIGNMENT = MIB


class TableKind(Enum):
    GPT = "gpt"
    MBR = "msdos"


class PartitionRole(Enum):
    """Purpose of a partition; determines its type code."""

    ESP = "esp"
    BIOS_BOOT = "bios_boot"
    LINUX = "linux"
    RAID = "raid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPartition:
    """``start`` and ``size`` in bytes, multiples of ``ALIGNMENT``. ``label`` is the GPT partition name.

    ``active``: the BIOS starts from it (MBR boot flag; on GPT the attribute "legacy BIOS bootable").
    """

    number: int
    role: PartitionRole
    start: int
    size: int
    label: str = ""
    active: bool = False

    @property
    def end(self) -> int:
        """Offset of the first byte after the partition."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class PartitionTable:
    kind: TableKind
    partitions: tuple[PlannedPartition, ...] = ()
