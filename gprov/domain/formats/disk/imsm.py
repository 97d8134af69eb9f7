"""Finds the metadata of firmware RAID by Intel (Matrix Storage Manager, Rapid Storage Technology): IMSM.

The last but one sector of a disk begins with the metadata parameter block. What does not fit into this sector stands in
the sectors before it, in order. The last sector is the record of a migration between RAID levels. All numbers are
little-endian. Source: the structures of mdadm (``super-intel.c``), since Intel published no description.

Left out are areas that hold data of volumes: partial parity log, bitmap and migration buffer. Of sectors that are used
in part, the rest counts as zeros.
"""

from __future__ import annotations

import struct

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.firmware_raid import Block, RaidMetadata, read_whole
from gprov.domain.formats.disk.partition_ids import ReadDisk

_SIGNATURE = b"Intel Raid ISM Cfg Sig. "
_CHECKSUM_AT = 0x20
_SIZE_AT = 0x24
_COUNTS_AT = 0x38
_FIXED = 0xD8
_DISK_SIZE = 48
# Sectors that Intel's firmware reserves for all of it.
_MOST = 2210 * 512
_VOLUME_AT = 80
_MAP_AT = _VOLUME_AT + 32
_MIGRATION_STATE_AT = _VOLUME_AT + 8
_MAP_SIZE = 48
_MEMBERS_AT = 16
# General migration: the only one that makes use of the record.
_GENERAL_MIGRATION = 3
_RECORD_SIZE = 128


def read_imsm(source: str, read: ReadDisk, size: int, sector_size: int = 512) -> RaidMetadata | None:
    """``source`` names the disk, ``size``: its bytes. None if the disk has none. Raises BadInput if it is damaged. What
    ``read`` raises is passed on."""
    anchor_at = (size // sector_size - 2) * sector_size
    anchor = read_whole(read, anchor_at, sector_size) if anchor_at > 0 else None
    if anchor is None or not anchor.startswith(_SIGNATURE):
        return None
    (length,) = struct.unpack_from("<I", anchor, _SIZE_AT)
    what = f"IMSM metadata of {source}"
    if not _FIXED + _DISK_SIZE <= length <= _MOST:
        raise BadInput(what, [Problem("mpb_size", f"is {length}, must be {_FIXED + _DISK_SIZE} to {_MOST}")])
    more = max(0, -(-length // sector_size) - 1) * sector_size
    extended = read_whole(read, anchor_at - more, more) if more <= anchor_at else None
    if extended is None:
        raise BadInput(what, [Problem("mpb_size", f"is {length}, more than the disk holds")])
    whole = (anchor + extended)[:length]
    if _checksum(whole) != int.from_bytes(whole[_CHECKSUM_AT : _CHECKSUM_AT + 4], "little"):
        raise BadInput(what, [Problem("check_sum", "does not match the content")])
    padded = whole.ljust(sector_size + more, b"\0")
    blocks = [Block(anchor_at - more, padded[sector_size:] + padded[:sector_size])]
    if _migrates(whole):
        record = read_whole(read, anchor_at + sector_size, _RECORD_SIZE)
        if record is not None:
            blocks.append(Block(anchor_at + sector_size, record.ljust(sector_size, b"\0")))
    return RaidMetadata(tuple(blocks))


def _checksum(block: bytes) -> int:
    """The sum of all whole words but the checksum itself."""
    words: tuple[int, ...] = struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4])
    return (sum(words) - words[_CHECKSUM_AT // 4]) & 0xFFFFFFFF


def _migrates(block: bytes) -> bool:
    """Whether a volume is being changed to another RAID level or size. What does not fit its structure has no such
    volume."""
    disks, volumes = block[_COUNTS_AT], block[_COUNTS_AT + 1]
    at = _FIXED + disks * _DISK_SIZE
    for _ in range(volumes):
        if at + _MAP_AT + _MAP_SIZE > len(block):
            return False
        migrating, kind = block[at + _MIGRATION_STATE_AT], block[at + _MIGRATION_STATE_AT + 1]
        if migrating and kind == _GENERAL_MIGRATION:
            return True
        at += _MAP_AT
        for _ in range(2 if migrating else 1):
            if at + _MAP_SIZE > len(block):
                return False
            at += _MAP_SIZE + 4 * block[at + _MEMBERS_AT]
    return False
