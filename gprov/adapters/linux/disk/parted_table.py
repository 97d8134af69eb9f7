"""Writes a planned partition table with libparted (pyparted), exactly as planned: nothing is aligned or rounded
here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, assert_never

import _ped
import parted

from gprov.domain.disk.layout import MIB, PartitionRole, PartitionTable, PlannedPartition, TableKind
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeviceFault, InternalError

# These classes have no common base except Exception.
_ERRORS = (
    _ped.PartedException,
    _ped.IOException,
    _ped.DeviceException,
    _ped.DiskException,
    _ped.DiskLabelException,
    _ped.PartitionException,
    _ped.ConstraintException,
    _ped.GeometryException,
    _ped.CreateException,
    _ped.UnknownTypeException,
)


def write_table(disk: Disk, table: PartitionTable) -> None:
    """Replace the table on the disk and update the kernel's partitions. Raises DeviceFault."""
    try:
        _written(_device(disk.node), table).commitToOS()
    except _ERRORS as exc:
        raise DeviceFault(disk.node, f"cannot write the partition table: {_sentence(exc)}") from exc


@dataclass(frozen=True, slots=True)
class StagedTable:
    """Table bytes at both ends of a disk: ``head`` and ``tail`` are 1 MiB each."""

    head: bytes
    tail: bytes


def staged_table(disk: Disk, table: PartitionTable) -> StagedTable:
    """The table's bytes, written to a file in memory instead of the disk: libparted would first wipe the old table and
    put its own boot code into the first sector. For sectors of 512 bytes. Raises DeviceFault."""
    fd = os.memfd_create("partition-table")
    try:
        os.ftruncate(fd, disk.size)
        _written(_device(f"/proc/self/fd/{fd}"), table)
        return StagedTable(os.pread(fd, MIB, 0), os.pread(fd, MIB, disk.size - MIB))
    except _ERRORS as exc:
        raise DeviceFault(disk.node, f"cannot make the partition table: {_sentence(exc)}") from exc
    finally:
        os.close(fd)


def announce_table(disk: Disk) -> None:
    """Update the kernel's partitions from the table on the disk. Raises DeviceFault."""
    try:
        parted.newDisk(_device(disk.node)).commitToOS()
    except _ERRORS as exc:
        raise DeviceFault(disk.node, f"cannot update the kernel's partitions: {_sentence(exc)}") from exc


def _device(node: str) -> Any:
    # libparted caches devices by name, with size and sector size, although another disk may have the name now.
    # (Removal from the cache leaks a few hundred bytes; freeing would leave Python objects with dangling pointers.)
    parted.getDevice(node).removeFromCache()
    return parted.getDevice(node)


def _written(device: Any, table: PartitionTable) -> Any:
    label = parted.freshDisk(device, table.kind.value)
    for planned in table.partitions:
        _add(device, label, table.kind, planned)
    label.commitToDevice()
    return label


def _add(device: Any, label: Any, kind: TableKind, planned: PlannedPartition) -> None:
    sector = device.sectorSize
    if planned.start % sector or planned.size % sector:
        raise InternalError(f"partition {planned.number} is not a multiple of the sectors of {sector} bytes")
    geometry = parted.Geometry(device, start=planned.start // sector, length=planned.size // sector)
    partition = parted.Partition(label, type=parted.PARTITION_NORMAL, geometry=geometry)
    label.addPartition(partition, constraint=parted.Constraint(exactGeom=geometry))
    if partition.number != planned.number:
        raise InternalError(f"partition {planned.number} became number {partition.number}")
    for flag in _flags(kind, planned):
        partition.setFlag(flag)
    if kind is TableKind.GPT and planned.label:
        partition.getPedPartition().set_name(planned.label)


def _flags(kind: TableKind, planned: PlannedPartition) -> list[int]:
    """libparted represents partition types as flags; without a flag the type is Linux file system (GPT) or 83 (MBR)."""
    flags: list[int] = []
    match planned.role:
        case PartitionRole.ESP:
            flags.append(parted.PARTITION_BOOT)  # on GPT this is the type "EFI system partition"
        case PartitionRole.BIOS_BOOT:
            flags.append(parted.PARTITION_BIOS_GRUB)
        case PartitionRole.RAID:
            flags.append(parted.PARTITION_RAID)
        case PartitionRole.LINUX:
            pass
        case _:
            assert_never(planned.role)
    if planned.active:
        flags.append(parted.PARTITION_LEGACY_BOOT if kind is TableKind.GPT else parted.PARTITION_BOOT)
    return flags


def _sentence(exc: Exception) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__
