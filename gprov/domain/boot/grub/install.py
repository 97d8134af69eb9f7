"""GRUB 2's loader for BIOS (i386-pc) as bytes: what a disk's first sector and the core image must hold.

Sources, GRUB 2.06: include/grub/i386/pc/boot.h (offsets in the boot sector), include/grub/offsets.h and
grub-core/boot/i386/pc/diskboot.S (block list of the core image), util/setup.c (what is patched where). Reed-Solomon
codes, which grub-bios-setup may add behind the core image, are left out (its ``--no-rs-codes``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gprov.domain.disk.layout import PartitionRole, PartitionTable, TableKind
from gprov.domain.disk.model import Disk
from gprov.domain.errors import BadInput, HardwareMismatch, InternalError, Problem

SECTOR = 512
# GRUB_BOOT_MACHINE_*: where the core image is (sector, 64 bits), a jump over the check of the drive number that the
# BIOS passes, and the part of the sector that belongs to the partition table (disk signature and entries).
_CORE_SECTOR = 0x5C
_DRIVE_CHECK = 0x66
_TABLE = 0x1B8
_TABLE_END = 0x1FE
_SIGNATURE = b"\x55\xaa"
_JUMP = 0xEB
_NO_JUMP = b"\x90\x90"
# The last entry of the block list in the core's first sector: start (64 bits), sectors, segment. An entry of length 0
# ends the list, which grows downwards. The segment is GRUB_BOOT_MACHINE_KERNEL_SEG behind that first sector.
_BLOCK_LIST = SECTOR - 12
_LIST_END = _BLOCK_LIST - 12
_SEGMENT = 0x820
# GRUB_DECOMPRESSOR_I386_PC_NO_REED_SOLOMON_LENGTH: 0xFFFF only in images of other versions.
_NO_RS_LENGTH = SECTOR + 0x14
_LEAST_CORE = SECTOR + 0x20


@dataclass(frozen=True, slots=True)
class Loader:
    """``boot``: boot.img, one sector. ``core``: core.img as grub-mkimage made it."""

    boot: bytes = field(repr=False)
    core: bytes = field(repr=False)

    @property
    def sectors(self) -> int:
        return -(-len(self.core) // SECTOR)


@dataclass(frozen=True, slots=True)
class BlockWrite:
    """``content`` goes to byte ``offset`` of a disk."""

    offset: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CoreLocation:
    """Where the core image goes: bytes from the start of the disk."""

    offset: int
    capacity: int


def core_location(table: PartitionTable) -> CoreLocation:
    """The gap behind the first sector of an MBR disk, or the BIOS boot partition of a GPT disk. Raises InternalError
    if the table has neither."""
    if table.kind is TableKind.MBR:
        first = min((part.start for part in table.partitions), default=0)
        if first > SECTOR:
            return CoreLocation(SECTOR, first - SECTOR)
    for part in table.partitions:
        if part.role is PartitionRole.BIOS_BOOT:
            return CoreLocation(part.start, part.size)
    raise InternalError(f"a {table.kind.name} partition table without a place for the loader")


def check_files(loader: Loader) -> None:
    """Raises BadInput for files that are not GRUB's."""
    problems = _problems(loader)
    if problems:
        raise BadInput("loader", problems)


def check_loader(loader: Loader, disk: Disk, table: PartitionTable) -> None:
    """Asked before anything is changed. Raises BadInput for files that are no loader, HardwareMismatch if it cannot
    be on that disk."""
    check_files(loader)
    if disk.sector_size != SECTOR:
        raise HardwareMismatch(f"{disk.describe()} has sectors of {disk.sector_size} bytes: no BIOS starts from it")
    place = core_location(table)
    if loader.sectors * SECTOR > place.capacity:
        raise HardwareMismatch(
            f"{disk.node}: the loader takes {len(loader.core)} bytes, there is room for {place.capacity}"
        )


def loader_writes(loader: Loader, table_sector: bytes, place: CoreLocation) -> tuple[BlockWrite, BlockWrite]:
    """The core image, and the first sector, which must be written after the core is on stable storage: whatever is cut,
    the BIOS finds no loader, or a whole one.

    ``table_sector``: a first sector with the partition table, of which that is all that is kept. Raises BadInput.
    """
    problems = _problems(loader)
    if len(table_sector) != SECTOR:
        problems.append(Problem("first sector", f"is {len(table_sector)} bytes long"))
    if problems:
        raise BadInput("loader", problems)
    if place.offset % SECTOR or place.offset < SECTOR or loader.sectors * SECTOR > place.capacity:
        raise InternalError(f"a loader of {len(loader.core)} bytes at {place.offset} with room for {place.capacity}")
    at = place.offset // SECTOR
    return BlockWrite(place.offset, _core(loader, at)), BlockWrite(0, _first_sector(loader.boot, table_sector, at))


def _core(loader: Loader, at: int) -> bytes:
    """Whole sectors, with the one block list that a core in one piece needs."""
    core = bytearray(loader.core.ljust(loader.sectors * SECTOR, b"\0"))
    struct.pack_into("<QHH", core, _BLOCK_LIST, at + 1, loader.sectors - 1, _SEGMENT)
    struct.pack_into("<QHH", core, _LIST_END, 0, 0, 0)
    return bytes(core)


def _first_sector(boot: bytes, table_sector: bytes, at: int) -> bytes:
    """The number of the drive is taken from the BIOS, but for one that no hard disk has: some pass 0 (util/setup.c)."""
    sector = bytearray(boot)
    struct.pack_into("<Q", sector, _CORE_SECTOR, at)
    sector[_DRIVE_CHECK : _DRIVE_CHECK + 2] = _NO_JUMP
    sector[_TABLE:_TABLE_END] = table_sector[_TABLE:_TABLE_END]
    return bytes(sector)


def _problems(loader: Loader) -> list[Problem]:
    problems = []
    if len(loader.boot) != SECTOR:
        problems.append(Problem("boot.img", f"is {len(loader.boot)} bytes long, must be {SECTOR}"))
    elif loader.boot[_TABLE_END:] != _SIGNATURE or loader.boot[_DRIVE_CHECK] != _JUMP:
        problems.append(Problem("boot.img", "is no boot sector of GRUB 2"))
    if not _LEAST_CORE <= len(loader.core) <= 0xFFFF * SECTOR:
        problems.append(Problem("core.img", f"cannot be {len(loader.core)} bytes long"))
        return problems
    if struct.unpack_from("<H", loader.core, _NO_RS_LENGTH)[0] == 0xFFFF:
        problems.append(Problem("core.img", "is of another version of GRUB"))
    _, sectors, segment = struct.unpack_from("<QHH", loader.core, _BLOCK_LIST)
    if segment != _SEGMENT or sectors != loader.sectors - 1 or any(loader.core[_LIST_END:_BLOCK_LIST]):
        problems.append(Problem("core.img", "does not begin with GRUB's disk reader and one block list"))
    return problems
