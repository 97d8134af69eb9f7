"""Finds the metadata of firmware RAID in the format DDF (SNIA Common RAID Disk Data Format).

The last block of a disk is the anchor. It names the LBA of a primary and perhaps of a secondary header, each of which
is followed by sections. All numbers are big-endian, blocks have 512 bytes. The CRC of a structure covers all its bytes,
with the CRC field taken for ones; makers disagree on its initial and final value.

Only structures with signature and CRC count as metadata. The workspace may hold data of volumes, and the diagnostic
space anything that a controller wrote as a test: both are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.firmware_raid import BLOCK, MOST_BYTES, Block, RaidMetadata, read_whole
from gprov.domain.formats.disk.partition_ids import ReadDisk

_HEADER = b"\xde\x11\xde\x11"
_CRC = slice(4, 8)
_GUID_AND_REVISION = slice(8, 40)
_REVISIONS = (b"01.00.00", b"01.02.00", b"02.00.00")
_LBAS = slice(96, 112)
_TYPE_AT = 112
_RECORD_LENGTH_AT = 134
_SECTIONS_AT = 192
_NONE_64 = (1 << 64) - 1
_NONE_32 = (1 << 32) - 1
_ONES = (1 << 32) - 1
# Virtual disk, spare assignment, vendor-unique.
_RECORDS = (b"\xee\xee\xee\xee", b"\x55\x55\x55\x55", b"\x88\x88\x88\x88")
# By position in the header, with the signatures; none: left out.
_SECTIONS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("controller data", (b"\xad\x11\x11\x11",)),
    ("physical disk records", (b"\x22\x22\x22\x22",)),
    ("virtual disk records", (b"\xdd\xdd\xdd\xdd",)),
    ("configuration records", _RECORDS),
    ("physical disk data", (b"\x33\x33\x33\x33",)),
    ("bad block log", (b"\xab\xad\xb1\x0c",)),
    ("diagnostic space", ()),
    ("vendor log", (b"\x01\xdb\xee\xf0",)),
)
_UNUSED = b"\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """``offset`` and ``size`` in bytes. ``record``: bytes of one record, the whole section if it has no records."""

    name: str
    signatures: tuple[bytes, ...]
    offset: int
    size: int
    record: int


def read_ddf(source: str, read: ReadDisk, size: int) -> RaidMetadata | None:
    """``source`` names the disk, ``size``: its bytes. None if the disk has no anchor. Raises BadInput if anchor, or
    both headers, are damaged, and for more than ``MOST_BYTES``. What ``read`` raises is passed on."""
    where = size // BLOCK * BLOCK - BLOCK
    anchor = read_whole(read, where, BLOCK) if where > 0 else None
    if anchor is None or not anchor.startswith(_HEADER):
        return None
    what = f"DDF metadata of {source}"
    if problem := _header_problem(anchor, anchor, 0):
        raise BadInput(what, [Problem("anchor", problem)])
    copies, problems = _copies(read, anchor, where)
    if not copies:
        raise BadInput(what, problems)
    sections = tuple(section for offset, header in copies for section in _sections(header, offset))
    total = sum(section.size for section in sections)
    if total > MOST_BYTES:
        raise BadInput(what, [Problem("sections", f"have {total} bytes, more than {MOST_BYTES >> 20} MiB")])
    notes = [str(problem) for problem in problems]
    blocks = [Block(where, anchor), *(Block(offset, header) for offset, header in copies)]
    for section in sections:
        content = _content(read, section, where)
        if content is None:
            notes.append(f"{section.name} at byte {section.offset}: not valid, left out")
        else:
            blocks.append(Block(section.offset, content))
    return RaidMetadata(tuple(sorted(blocks, key=lambda block: block.offset)), tuple(notes))


def _copies(read: ReadDisk, anchor: bytes, end: int) -> tuple[list[tuple[int, bytes]], list[Problem]]:
    """Offset and content of the valid headers, and what is wrong with the other."""
    copies: list[tuple[int, bytes]] = []
    problems: list[Problem] = []
    for name, kind, lba in zip(("primary", "secondary"), (1, 2), struct.unpack(">QQ", anchor[_LBAS]), strict=True):
        if lba == _NONE_64:
            continue
        header = read_whole(read, lba * BLOCK, BLOCK) if lba * BLOCK < end else None
        problem = _header_problem(header, anchor, kind) if header is not None else f"LBA {lba} is not on the disk"
        if header is None or problem:
            problems.append(Problem(f"{name} header", problem))
        else:
            copies.append((lba * BLOCK, header))
    if not copies and not problems:
        problems.append(Problem("anchor", "names no header"))
    return copies, problems


def _header_problem(header: bytes, anchor: bytes, kind: int) -> str:
    if not header.startswith(_HEADER):
        return "has no signature"
    if not _crc_holds(header):
        return "the CRC does not match the content"
    if not header[_GUID_AND_REVISION].endswith(_REVISIONS):
        return f"unknown revision {header[_GUID_AND_REVISION][-8:]!r}"
    same = all(header[part] == anchor[part] for part in (_GUID_AND_REVISION, _LBAS))
    return "" if same and header[_TYPE_AT] == kind else "belongs to other metadata"


def _sections(header: bytes, start: int) -> Iterator[_Section]:
    """Those that the header names, without the ones that are left out."""
    record_size = int.from_bytes(header[_RECORD_LENGTH_AT : _RECORD_LENGTH_AT + 2]) * BLOCK
    places = struct.iter_unpack(">II", header[_SECTIONS_AT : _SECTIONS_AT + 8 * len(_SECTIONS)])
    for (name, signatures), (offset, length) in zip(_SECTIONS, places, strict=True):
        if signatures and length not in (0, _NONE_32) and offset not in (0, _NONE_32):
            size = length * BLOCK
            record = record_size if signatures is _RECORDS else size
            place = start + offset * BLOCK
            yield _Section(name=name, signatures=signatures, offset=place, size=size, record=record)


def _content(read: ReadDisk, section: _Section, end: int) -> bytes | None:
    """None unless it is metadata beyond doubt. Of several records, those that are not valid are replaced by unused
    ones."""
    if section.offset + section.size > end or not section.record:
        return None
    start = read_whole(read, section.offset, BLOCK)
    if start is None or (section.record == section.size and not start.startswith(section.signatures)):
        return None  # without reading all of what may be large
    content = read_whole(read, section.offset, section.size)
    if content is None:
        return None
    records = [content[at : at + section.record] for at in range(0, section.size, section.record)]
    valid = [record.startswith(section.signatures) and _crc_holds(record) for record in records]
    if section.record == section.size and not valid[0]:
        return None
    return b"".join(one if good else _UNUSED * len(one) for one, good in zip(records, valid, strict=True))


def _crc_holds(structure: bytes) -> bool:
    """With the polynomial of CRC-32, as Adaptec (and dmraid) computes it, or as LSI (and mdadm), without inversions."""
    opened = structure[: _CRC.start] + b"\xff" * 4 + structure[_CRC.stop :]
    stated = int.from_bytes(structure[_CRC])
    return stated in (zlib.crc32(opened), zlib.crc32(opened, _ONES) ^ _ONES)
