"""Plans the partition tables of the RECOVERY disk and of the PRIMARY disks from firmware kind and disk size.

Partitions are aligned to 1 MiB. The same table fits sectors of 512 and of 4096 bytes: the space for the backup GPT is
calculated with the larger sector.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import (
    ALIGNMENT,
    KIB,
    MIB,
    PartitionRole,
    PartitionTable,
    PlannedPartition,
    TableKind,
)
from gprov.domain.errors import HardwareMismatch, Problem

BOOT_SIZE = 200 * MIB
BIOS_BOOT_SIZE = 1 * MIB
# Minimum size of the last partition.
MIN_DATA = 64 * MIB
# An MBR counts sectors in 32 bits: 2 TiB with sectors of 512 bytes, the only size that BIOS supports.
MBR_LIMIT = 2**32 * 512
# Backup GPT at the end: 16 KiB of entries and one sector for the header (UEFI 2.10, 5.3), here of 4096 bytes.
_BACKUP_GPT = 16 * KIB + 4 * KIB
_NAMES = Branding()


@dataclass(frozen=True, slots=True)
class _RequestedPartition:
    """A partition without a position yet. ``size`` 0: all remaining space, allowed for the last partition only."""

    role: PartitionRole
    label: str
    size: int = 0
    active: bool = False


def recovery_table(firmware: FirmwareKind, disk_size: int, names: Branding = _NAMES) -> PartitionTable:
    """Table of the RECOVERY disk; the last partition is RECOVERY. Raises HardwareMismatch if the disk is too small."""
    if firmware is FirmwareKind.UEFI:
        esp = _RequestedPartition(PartitionRole.ESP, names.esp_label, BOOT_SIZE)
        return _table(TableKind.GPT, disk_size, esp, _RequestedPartition(PartitionRole.LINUX, names.recovery_label))
    return _bios_table(disk_size, _RequestedPartition(PartitionRole.LINUX, names.recovery_label, active=True))


def primary_table(firmware: FirmwareKind, disk_size: int, raid: bool, names: Branding = _NAMES) -> PartitionTable:
    """Table of one PRIMARY disk; the last partition is PRIMARY or a member of its array. Raises HardwareMismatch if the
    disk is too small."""
    data = _RequestedPartition(PartitionRole.RAID if raid else PartitionRole.LINUX, names.primary_label)
    if firmware is FirmwareKind.UEFI:
        return _table(TableKind.GPT, disk_size, data)
    return _bios_table(
        disk_size, _RequestedPartition(PartitionRole.LINUX, names.boot_label, BOOT_SIZE, active=True), data
    )


def _bios_table(disk_size: int, *requests: _RequestedPartition) -> PartitionTable:
    if disk_size <= MBR_LIMIT:
        return _table(TableKind.MBR, disk_size, *requests)
    return _table(
        TableKind.GPT, disk_size, _RequestedPartition(PartitionRole.BIOS_BOOT, "BIOS", BIOS_BOOT_SIZE), *requests
    )


def _table(kind: TableKind, disk_size: int, *requests: _RequestedPartition) -> PartitionTable:
    usable = disk_size - _BACKUP_GPT if kind is TableKind.GPT else disk_size
    end = usable // ALIGNMENT * ALIGNMENT
    fixed = sum(request.size for request in requests)
    needed = ALIGNMENT + fixed + MIN_DATA
    if end < needed:
        tail = usable - end if usable > 0 else 0
        raise HardwareMismatch(
            f"disk too small: {disk_size} bytes, at least {needed + disk_size - usable} are needed",
            [
                Problem(
                    "usable", f"{max(end, 0)} bytes ({disk_size - usable} for the table's backup, {tail} unaligned)"
                ),
                Problem("needed", f"{ALIGNMENT} for the table, {fixed} fixed, {MIN_DATA} for data at least"),
            ],
        )
    partitions: list[PlannedPartition] = []
    start = ALIGNMENT
    for number, request in enumerate(requests, start=1):
        size = request.size or end - start
        label = request.label if kind is TableKind.GPT else ""
        partitions.append(
            PlannedPartition(
                number=number, role=request.role, start=start, size=size, label=label, active=request.active
            )
        )
        start += size
    return PartitionTable(kind, tuple(partitions))
