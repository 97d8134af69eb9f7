"""GRUB 2's boot loader for BIOS (i386-pc): computes the bytes of a disk's first sector and of the core image.

Sources, GRUB 2.06: include/grub/i386/pc/boot.h (offsets in the boot sector), include/grub/offsets.h and
grub-core/boot/i386/pc/diskboot.S (block list of the core image), util/setup.c (what is patched where). Reed-Solomon
codes, which grub-bios-setup may append to the core image, are left out (its ``--no-rs-codes``).
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
_MIN_CORE = SECTOR + 0x20


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
    """Location of the core image, in bytes: offset from the start of the disk, and space."""

    offset: int
    capacity: int


def core_location(table: PartitionTable) -> CoreLocation:
    """The gap after the first sector of an MBR disk, or the BIOS boot partition of a GPT disk. Raises InternalError
    if the table has neither."""
    if table.kind is TableKind.MBR:
        first = min((part.start for part in table.partitions), default=0)
        if first > SECTOR:
            return CoreLocation(SECTOR, first - SECTOR)
    for part in table.partitions:
        if part.role is PartitionRole.BIOS_BOOT:
            return CoreLocation(part.start, part.size)
    raise InternalError(f"{table.kind.name} partition table without space for the boot loader")


def check_files(loader: Loader) -> None:
    """Raises BadInput for files that are not from GRUB 2.06."""
    problems = _problems(loader)
    if problems:
        raise BadInput("loader", problems)


def check_loader(loader: Loader, disk: Disk, table: PartitionTable) -> None:
    """Precondition, checked before anything is changed. Raises BadInput for files that are not a boot loader,
    HardwareMismatch if the disk cannot hold it."""
    check_files(loader)
    if disk.sector_size != SECTOR:
        raise HardwareMismatch(f"{disk.describe()} has sectors of {disk.sector_size} bytes: a BIOS cannot boot from it")
    location = core_location(table)
    if loader.sectors * SECTOR > location.capacity:
        raise HardwareMismatch(
            f"{disk.node}: the boot loader has {len(loader.core)} bytes, the disk has space for {location.capacity}"
        )


def loader_writes(loader: Loader, table_sector: bytes, place: CoreLocation) -> tuple[BlockWrite, BlockWrite]:
    """Return the write of the core image and the write of the first sector. The second must follow after the first is
    durable, so that a power cut leaves either no boot loader or a complete one.

    ``table_sector``: a first sector, of which only the partition table is used. Raises BadInput.
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
    """The core image in whole sectors, with one block list entry: the image is contiguous."""
    core = bytearray(loader.core.ljust(loader.sectors * SECTOR, b"\0"))
    struct.pack_into("<QHH", core, _BLOCK_LIST, at + 1, loader.sectors - 1, _SEGMENT)
    struct.pack_into("<QHH", core, _LIST_END, 0, 0, 0)
    return bytes(core)


def _first_sector(boot: bytes, table_sector: bytes, at: int) -> bytes:
    """The jump over the drive check is removed: boot.img then replaces drive numbers that no hard disk has, since some
    BIOSes pass 0 (util/setup.c)."""
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
        problems.append(Problem("boot.img", "is not a boot sector of GRUB 2"))
    if not _MIN_CORE <= len(loader.core) <= 0xFFFF * SECTOR:
        problems.append(Problem("core.img", f"cannot be {len(loader.core)} bytes long"))
        return problems
    if struct.unpack_from("<H", loader.core, _NO_RS_LENGTH)[0] == 0xFFFF:
        problems.append(Problem("core.img", "is of another version of GRUB"))
    _, sectors, segment = struct.unpack_from("<QHH", loader.core, _BLOCK_LIST)
    if segment != _SEGMENT or sectors != loader.sectors - 1 or any(loader.core[_LIST_END:_BLOCK_LIST]):
        problems.append(Problem("core.img", "does not begin with GRUB's disk reader and one block list"))
    return problems
