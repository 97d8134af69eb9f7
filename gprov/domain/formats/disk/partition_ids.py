"""PARTUUID and PARTLABEL out of the first bytes of a disk, as the kernel names partitions.

Sources: UEFI specification 2.10, section 5.3 (GPT); Linux ``block/partitions/msdos.c`` (MBR: the disk signature and
the partition's number). Only the primary GPT is read, and only if both of its checksums hold.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Enough for header and 128 entries of 128 bytes with sectors of 512 or 4096 bytes.
START_SIZE = 32 * 1024
_HEADER = struct.Struct("<8sIIII4Q16sQIII")
_ENTRY_LEAST = 128
_ENTRIES_MOST = 1024
_GUID = struct.Struct("<IHH8s")
_MBR_SIGNATURE = struct.Struct("<I")
_PROTECTIVE = 0xEE


@dataclass(frozen=True, slots=True)
class PartitionId:
    """``uuid`` is the PARTUUID in lower case, ``label`` the GPT partition name."""

    uuid: str
    label: str = ""


def read_partition_ids(start: bytes, sector_size: int, numbers: Iterable[int]) -> Mapping[int, PartitionId]:
    """Identities of the partitions with these numbers, as far as the table has any; never an error.

    ``start``: the first ``START_SIZE`` bytes of the disk.
    """
    wanted = tuple(numbers)
    entries = _gpt_entries(start, sector_size)
    if entries is not None:
        return {number: entries[number] for number in wanted if number in entries}
    signature = _mbr_signature(start)
    if not signature:
        return {}
    return {number: PartitionId(f"{signature:08x}-{number:02x}") for number in wanted}


def _gpt_entries(start: bytes, sector_size: int) -> Mapping[int, PartitionId] | None:
    """By number; None if there is no valid GPT."""
    header = start[sector_size : 2 * sector_size]
    if len(header) < _HEADER.size or not header.startswith(b"EFI PART"):
        return None
    (_, _, size, checksum, _, _, _, _, _, _, first, count, entry_size, entries_checksum) = _HEADER.unpack_from(header)
    if not _HEADER.size <= size <= len(header):
        return None
    if zlib.crc32(header[:16] + bytes(4) + header[20:size]) != checksum:
        return None
    if entry_size < _ENTRY_LEAST or count > _ENTRIES_MOST:
        return None
    array = start[first * sector_size :][: count * entry_size]
    if len(array) != count * entry_size or zlib.crc32(array) != entries_checksum:
        return None
    slots = (array[index * entry_size :][:_ENTRY_LEAST] for index in range(count))
    return {number: _entry(slot) for number, slot in enumerate(slots, start=1) if any(slot[:16])}


def _entry(slot: bytes) -> PartitionId:
    name = slot[56:128].decode("utf-16-le", "replace").split("\0", 1)[0]
    return PartitionId(_guid(slot[16:32]), name)


def _guid(raw: bytes) -> str:
    low, middle, high, rest = _GUID.unpack(raw)
    return f"{low:08x}-{middle:04x}-{high:04x}-{rest[:2].hex()}-{rest[2:].hex()}"


def _mbr_signature(start: bytes) -> int:
    """0 if there is no MBR of its own: none at all, the one that protects a GPT, or one without a signature."""
    if len(start) < 512 or start[510:512] != b"\x55\xaa":
        return 0
    types = (start[446 + 16 * index + 4] for index in range(4))
    if _PROTECTIVE in types:
        return 0
    return int(_MBR_SIGNATURE.unpack_from(start, 440)[0])
