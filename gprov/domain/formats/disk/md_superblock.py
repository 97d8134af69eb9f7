"""The superblock of a member of a software RAID array, md's version 1 (Linux ``include/uapi/linux/raid/md_p.h``).

It is read here rather than by a program: a start of a unit looks at every member, and each program costs more than
the whole search for the root.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

SUPERBLOCK_SIZE = 4096
_SECTOR = 512
_MAGIC = 0xA92B4EFC
_FIXED = 256
_MAX_DEVICES = (SUPERBLOCK_SIZE - _FIXED) // 2
_CHECKSUM_AT = 216
# dev_roles[]: from here up no slot of the array, but what the device is instead (journal, faulty, spare).
_MIN_SPECIAL_ROLE = 0xFFFD
_RECOVERY_OFFSET = 2
_REPLACEMENT = 16
_END = 0xFFFFFFFFFFFFFFFF
# Sectors from the start of the device: versions 1.2 and 1.1; 1.0 stands at the end.
_STARTS = (8, 0)

_ARRAY = struct.Struct("<IIII16s32sQiiQIII")
_DEVICE = struct.Struct("<QQQQII16s")
_STATE = struct.Struct("<QQQII")
_DEVICE_AT = 128
_STATE_AT = 192


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """What a member says of its array and of itself.

    ``array``: UUID of the array, ``name``: ``host:name``. ``level``
    and ``layout`` are md's numbers, ``disks`` how many slots the array has, ``slot`` this member's, None for a spare
    or a faulty one. ``active``: slots that had a device when this was written. ``events`` grows with each change of the
    array: who has fewer was not there. ``rebuilding``: this member does not hold all of its data yet. ``clean``: the
    members agreed with each other. ``device``: UUID of this member.
    """

    array: str
    name: str
    level: int
    layout: int
    disks: int
    slot: int | None
    active: frozenset[int]
    events: int
    rebuilding: bool
    clean: bool
    device: str


def superblock_offsets(size: int) -> tuple[int, ...]:
    """Byte offsets at which a device of ``size`` bytes may hold a superblock, the usual one first."""
    sectors = size // _SECTOR
    tail = max(0, sectors - 16) & ~7
    places = [start * _SECTOR for start in (*_STARTS, tail)]
    return tuple(place for place in dict.fromkeys(places) if place + SUPERBLOCK_SIZE <= size)


def parse_superblock(source: str, raw: bytes, offset: int) -> MemberRecord | None:
    """``raw``: what stands at byte ``offset`` of a device. None if that is no superblock of version 1.

    Raises BadInput if it is one, but damaged.
    """
    if len(raw) < _FIXED or raw[:8] != struct.pack("<II", _MAGIC, 1):
        return None
    _, _, features, _, array, name, _, level, layout, _, _, disks, _ = _ARRAY.unpack_from(raw)
    _, _, own_sector, recovery, number, _, device = _DEVICE.unpack_from(raw, _DEVICE_AT)
    _, events, resync, checksum, most = _STATE.unpack_from(raw, _STATE_AT)
    problems = []
    if own_sector * _SECTOR != offset:
        problems.append(Problem("super_offset", f"says sector {own_sector}, stands at byte {offset}"))
    if most > _MAX_DEVICES or _FIXED + 2 * most > len(raw):
        problems.append(Problem("max_dev", f"is {most}, at most {_MAX_DEVICES} fit"))
    elif _checksum(raw[: _FIXED + 2 * most]) != checksum:
        problems.append(Problem("sb_csum", "does not match the content"))
    if not 1 <= disks <= _MAX_DEVICES:
        problems.append(Problem("raid_disks", f"is {disks}"))
    if problems:
        raise BadInput(f"RAID superblock of {source}", problems)
    roles = struct.unpack_from(f"<{most}H", raw, _FIXED)
    role = roles[number] if number < most else _MIN_SPECIAL_ROLE
    recovering = bool(features & _RECOVERY_OFFSET) and recovery != _END
    return MemberRecord(
        array=uuid_text(array),
        name=name.split(b"\0")[0].decode(errors="replace"),
        level=level,
        layout=layout,
        disks=disks,
        slot=role if role < disks else None,
        active=frozenset(role for role in roles if role < disks),
        events=events,
        rebuilding=recovering or bool(features & _REPLACEMENT),
        clean=resync == _END,
        device=uuid_text(device),
    )


def _checksum(raw: bytes) -> int:
    """``calc_sb_1_csum`` of the kernel: little-endian words added up, with the checksum itself taken for zero."""
    whole = len(raw) // 4 * 4
    total: int = sum(struct.unpack(f"<{whole // 4}I", raw[:whole]))
    total -= int.from_bytes(raw[_CHECKSUM_AT : _CHECKSUM_AT + 4], "little")
    if whole < len(raw):
        total += int.from_bytes(raw[whole:], "little")
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def uuid_text(raw: bytes) -> str:
    """16 bytes as libblkid and the kernel write a UUID."""
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
