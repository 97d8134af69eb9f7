"""PARTUUID and PARTLABEL out of the table of a disk, as the kernel names partitions.

Sources: UEFI specification 2.10, section 5.3 (GPT); Linux ``block/partitions/efi.c`` (which of the two GPTs counts, and
that an MBR of its own goes before both) and ``block/partitions/msdos.c`` (the disk signature and the partition's
number). A GPT counts only if both of its checksums hold.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

# (offset, size) → bytes of the disk, fewer where it ends
ReadDisk = Callable[[int, int], bytes]

_HEADER = struct.Struct("<8sIIII4Q16sQIII")
_ENTRY_LEAST = 128
_ENTRIES_MOST = 1024
_ARRAY_MOST = 1 << 20  # bytes
_GUID = struct.Struct("<IHH8s")
_MBR_SIGNATURE = struct.Struct("<I")
_PROTECTIVE = 0xEE


@dataclass(frozen=True, slots=True)
class PartitionId:
    """``uuid`` is the PARTUUID in lower case, ``label`` the GPT partition name."""

    uuid: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the entries are: first sector, number, bytes of each, and the checksum of all."""

    first: int
    count: int
    entry_size: int
    checksum: int


def read_partition_ids(
    read: ReadDisk, disk_size: int, sector_size: int, numbers: Iterable[int]
) -> Mapping[int, PartitionId]:
    """Identities of the partitions with these numbers, as far as the table has any; never an error of its own.

    ``disk_size`` and ``sector_size`` in bytes. What ``read`` raises is passed on.
    """
    wanted = tuple(numbers)
    mbr = _mbr(read(0, 512))
    # Beside an MBR of its own, a GPT is what was left of an earlier table.
    entries = _gpt_entries(read, disk_size, sector_size) if mbr is None or not mbr.used else None
    if entries is not None:
        return {number: entries[number] for number in wanted if number in entries}
    if mbr is None or not mbr.signature:
        return {}
    return {number: PartitionId(f"{mbr.signature:08x}-{number:02x}") for number in wanted}


def _gpt_entries(read: ReadDisk, disk_size: int, sector_size: int) -> Mapping[int, PartitionId] | None:
    """By number. The backup counts only if the first table is damaged: it is the older one while they are written."""
    for lba in (1, disk_size // sector_size - 1):
        header = _header(read(lba * sector_size, sector_size), sector_size, lba) if lba >= 1 else None
        entries = _entries(read, header, sector_size) if header is not None else None
        if entries is not None:
            return entries
    return None


def _header(sector: bytes, sector_size: int, lba: int) -> _Header | None:
    """None if this is not the header of a GPT that belongs here."""
    if len(sector) < max(_HEADER.size, sector_size) or not sector.startswith(b"EFI PART"):
        return None
    (_, _, size, checksum, _, own, _, _, _, _, first, count, entry_size, entries_checksum) = _HEADER.unpack_from(sector)
    if not _HEADER.size <= size <= len(sector) or own != lba:
        return None
    if zlib.crc32(sector[:16] + bytes(4) + sector[20:size]) != checksum:
        return None
    if entry_size < _ENTRY_LEAST or count > _ENTRIES_MOST or count * entry_size > _ARRAY_MOST:
        return None
    return _Header(first, count, entry_size, entries_checksum)


def _entries(read: ReadDisk, header: _Header, sector_size: int) -> Mapping[int, PartitionId] | None:
    """By number; None if the checksum does not hold."""
    size = header.count * header.entry_size
    offset = header.first * sector_size
    array = read(offset, size) if offset < 1 << 63 else b""
    if len(array) != size or zlib.crc32(array) != header.checksum:
        return None
    slots = (array[index * header.entry_size :][:_ENTRY_LEAST] for index in range(header.count))
    return {number: _entry(slot) for number, slot in enumerate(slots, start=1) if any(slot[:16])}


def _entry(slot: bytes) -> PartitionId:
    name = slot[56:128].decode("utf-16-le", "replace").split("\0", 1)[0]
    return PartitionId(_guid(slot[16:32]), name)


def _guid(raw: bytes) -> str:
    low, middle, high, rest = _GUID.unpack(raw)
    return f"{low:08x}-{middle:04x}-{high:04x}-{rest[:2].hex()}-{rest[2:].hex()}"


@dataclass(frozen=True, slots=True)
class _Mbr:
    """``signature``: 0 if there is none. ``used``: some partition is in it."""

    signature: int
    used: bool


def _mbr(start: bytes) -> _Mbr | None:
    """None if there is none, or only the one that protects a GPT."""
    if len(start) < 512 or start[510:512] != b"\x55\xaa":
        return None
    types = [start[446 + 16 * index + 4] for index in range(4)]
    if _PROTECTIVE in types:
        return None
    return _Mbr(int(_MBR_SIGNATURE.unpack_from(start, 440)[0]), any(types))
