"""Firmware and disk size → partition table, for RECOVERY and for the disks of PRIMARY.

Everything is aligned to 1 MiB, which suits sectors of 512 and of 4096 bytes alike. A table is the same for both:
what the backup GPT takes at the end of the disk is reckoned with the larger sector.
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
# Less than this is no disk that anybody means to install on; it keeps the arithmetic honest on tiny media.
MIN_DATA = 64 * MIB
# An MBR counts sectors in 32 bits: 2 TiB with the sectors of 512 bytes that BIOS knows.
MBR_LIMIT = 2**32 * 512
# Backup GPT at the end: 16 KiB of entries and one sector for the header (UEFI 2.10, 5.3), here of 4096 bytes.
_BACKUP_GPT = 16 * KIB + 4 * KIB
_NAMES = Branding()


@dataclass(frozen=True, slots=True)
class _Wish:
    """A partition still without a place. ``size`` 0: all that is left; only the last one may say so."""

    role: PartitionRole
    label: str
    size: int = 0
    active: bool = False


def recovery_table(firmware: FirmwareKind, disk_size: int, names: Branding = _NAMES) -> PartitionTable:
    """Of the RECOVERY device; its last partition is RECOVERY. Raises HardwareMismatch if the disk is too small."""
    if firmware is FirmwareKind.UEFI:
        esp = _Wish(PartitionRole.ESP, names.esp_label, BOOT_SIZE)
        return _table(TableKind.GPT, disk_size, esp, _Wish(PartitionRole.LINUX, names.recovery_label))
    return _bios_table(disk_size, _Wish(PartitionRole.LINUX, names.recovery_label, active=True))


def primary_table(firmware: FirmwareKind, disk_size: int, raid: bool, names: Branding = _NAMES) -> PartitionTable:
    """Of one PRIMARY disk; its last partition is PRIMARY or a member of it. Raises HardwareMismatch if the disk is
    too small."""
    data = _Wish(PartitionRole.RAID if raid else PartitionRole.LINUX, names.primary_label)
    if firmware is FirmwareKind.UEFI:
        return _table(TableKind.GPT, disk_size, data)
    return _bios_table(disk_size, _Wish(PartitionRole.LINUX, names.boot_label, BOOT_SIZE, active=True), data)


def _bios_table(disk_size: int, *wishes: _Wish) -> PartitionTable:
    if disk_size <= MBR_LIMIT:
        return _table(TableKind.MBR, disk_size, *wishes)
    return _table(TableKind.GPT, disk_size, _Wish(PartitionRole.BIOS_BOOT, "BIOS", BIOS_BOOT_SIZE), *wishes)


def _table(kind: TableKind, disk_size: int, *wishes: _Wish) -> PartitionTable:
    usable = disk_size - _BACKUP_GPT if kind is TableKind.GPT else disk_size
    end = usable // ALIGNMENT * ALIGNMENT
    fixed = sum(wish.size for wish in wishes)
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
    for number, wish in enumerate(wishes, start=1):
        size = wish.size or end - start
        label = wish.label if kind is TableKind.GPT else ""
        partitions.append(
            PlannedPartition(number=number, role=wish.role, start=start, size=size, label=label, active=wish.active)
        )
        start += size
    return PartitionTable(kind, tuple(partitions))
