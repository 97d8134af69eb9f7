"""Targets: metadata of firmware RAID, made by the layouts of their formats."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fuzz.harness import Target, expect
from gprov.domain.erase.raid_metadata import find_metadata
from gprov.domain.platform.model import FakeraidType

BLOCK = 512
DDF_PRIMARY = 0xDE11DE11
_GUID = b"Linux-MD" + bytes(range(16))
_PLACES = ("controller", "physical", "virtual", "configuration", "data", "bad blocks", "diagnostic", "vendor")
NOWHERE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class DdfSections:
    """``blocks``: offset from the header in blocks, and content, by name of the section."""

    blocks: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)


def ddf_structure(signature: int, blocks: int, content: bytes = b"") -> bytes:
    raw = struct.pack(">II", signature, 0xFFFFFFFF) + content
    return with_ddf_crc(raw.ljust(blocks * BLOCK, b"\xff"))


def with_ddf_crc(raw: bytes) -> bytes:
    """As mdadm computes it: without the inversions of zlib."""
    crc = zlib.crc32(raw[:4] + b"\xff" * 4 + raw[8:], 0xFFFFFFFF) ^ 0xFFFFFFFF
    return raw[:4] + crc.to_bytes(4) + raw[8:]


def usual_sections() -> DdfSections:
    """As mdadm lays them out for at most 15 disks and volumes, with one volume."""
    physical = struct.pack(">HH52s", 1, 15, b"\xff" * 52) + _GUID + struct.pack(">IHHQ", 7, 0x300, 1, 99)
    volume = struct.pack(">24sII24sHBB", _GUID, 0, 1, b"\xff" * 24, 1, 7, 0)
    records = ddf_structure(0xEEEEEEEE, 2, volume) + b"\xff" * 2 * BLOCK
    return DdfSections(
        {
            "controller": (1, ddf_structure(0xAD111111, 1, _GUID)),
            "physical": (2, ddf_structure(0x22222222, 2, physical)),
            "virtual": (4, ddf_structure(0xDDDDDDDD, 2, struct.pack(">HH52s", 0, 15, b"\xff" * 52))),
            "configuration": (6, records),
            "data": (10, ddf_structure(0x33333333, 1, _GUID + struct.pack(">IBB", 7, 1, 1))),
        }
    )


def ddf_header(kind: int, primary: int, secondary: int, sections: DdfSections) -> bytes:
    head = struct.pack(
        ">II24s8sIIBBB45sQQB3sIQHHHHH54s",
        *(DDF_PRIMARY, 0xFFFFFFFF, _GUID, b"01.02.00", 1, 0, 0xFF, 0, 0, b"\xff" * 45, primary, secondary, kind),
        *(b"\xff" * 3, 32768, 0, 15, 15, 1, 2, 16, b"\xff" * 54),
    )
    places = [sections.blocks.get(name, (0xFFFFFFFF, b"")) for name in _PLACES]
    table = b"".join(struct.pack(">II", offset, len(content) // BLOCK) for offset, content in places)
    return with_ddf_crc((head + table).ljust(BLOCK, b"\xff"))


def ddf_parts(primary: int, secondary: int, end: int, sections: DdfSections) -> Iterator[tuple[int, bytes]]:
    """Byte offset and content. ``primary``, ``secondary``, ``end``: LBA of the headers and of the anchor."""
    yield end * BLOCK, ddf_header(0, primary, secondary, sections)
    for kind, lba in ((1, primary), (2, secondary)):
        if lba != NOWHERE:
            yield lba * BLOCK, ddf_header(kind, primary, secondary, sections)
            for offset, content in sections.blocks.values():
                yield (lba + offset) * BLOCK, content


def imsm_block(
    volumes: int = 1, *, members: int = 2, migration: int | None = None, extra: int = 0, serial: bytes = b"SERIAL"
) -> bytes:
    """A metadata parameter block. ``migration``: the type of a migration of the last volume that is under way;
    ``extra``: bytes of a log behind the volumes; ``serial``: of the first disk."""
    serials = (serial, *(b"OTHER%d" % number for number in range(1, members)))
    disks = b"".join(struct.pack("<16sIIIII12s", name, 99, n, 2, 0, 0, b"") for n, name in enumerate(serials))
    raid_map = struct.pack("<IIIHBBBBBB28s", 0, 9, 4, 128, 0, 1, members, 2, 0xFF, 1, b"") + bytes(4 * members)
    kinds = [None] * (volumes - 1) + [migration] * min(volumes, 1)
    devices = b"".join(_imsm_volume(raid_map, kind) for kind in kinds)
    body = disks + devices + bytes(range(256)) * (extra // 256)
    head = struct.pack("<32sIIIIIIBB", b"Intel Raid ISM Cfg Sig. 1.1.00", 0, 0xD8 + len(body), 7, 1, 4080, 0, 0, 0)
    return with_imsm_checksum(head[:0x38] + bytes([members, volumes]) + bytes(0xD8 - 0x3A) + body)


def _imsm_volume(raid_map: bytes, migration: int | None) -> bytes:
    state = (0, 0) if migration is None else (1, migration)
    head = struct.pack("<16sIIII48s", b"Volume0", 9, 0, 0, 0, b"") + struct.pack("<IIBB22s", 0, 0, *state, b"")
    return head + raid_map * (1 if migration is None else 2)


def with_imsm_checksum(raw: bytes) -> bytes:
    length = min(int.from_bytes(raw[0x24:0x28], "little"), len(raw)) // 4
    words: tuple[int, ...] = struct.unpack(f"<{length}I", raw[: 4 * length])
    total = (sum(words) - (words[8] if length > 8 else 0)) & 0xFFFFFFFF
    return raw[:0x20] + total.to_bytes(4, "little") + raw[0x24:]


def imsm_sectors(block: bytes, sector: int = BLOCK) -> bytes:
    """As it stands on a disk, without the last sector."""
    padded = block.ljust(-(-len(block) // sector) * sector, b"\0")
    return padded[sector:] + padded[:sector]


def image(size: int, parts: Iterator[tuple[int, bytes]], fill: bytes = b"\0") -> bytes:
    disk = bytearray(fill * size)
    for offset, content in parts:
        disk[offset : offset + len(content)] = content
    return bytes(disk)


def _check(kind: FakeraidType, data: bytes) -> None:
    for sector in (512, 4096):
        found = find_metadata(kind, lambda at, size: data[at : at + size], len(data), sector_size=sector)
        end = 0
        for saved in found.ranges:
            expect(
                saved.extent.start >= end and saved.extent.end <= -(-len(data) // sector) * sector, "not on the disk"
            )
            expect(saved.extent.start % sector == 0 and saved.extent.size % sector == 0, "not whole sectors")
            expect(len(saved.content) == saved.extent.size, "content of another size")
            end = saved.extent.end


def ddf(data: bytes) -> None:
    _check(FakeraidType.DDF, data)


def imsm(data: bytes) -> None:
    _check(FakeraidType.IMSM, data)


def _ddf_seeds() -> list[bytes]:
    more = dict(usual_sections().blocks)
    more["bad blocks"] = (11, ddf_structure(0xABADB10C, 1))
    more["vendor"] = (12, ddf_structure(0x01DBEEF0, 2))
    more["diagnostic"] = (14, b"D" * BLOCK)
    return [
        image(64 * BLOCK, ddf_parts(10, NOWHERE, 63, usual_sections())),
        image(64 * BLOCK, ddf_parts(8, 32, 63, DdfSections(more))),
    ]


def _imsm_seeds() -> list[bytes]:
    blocks = (imsm_block(), imsm_block(2, members=4, extra=1024), imsm_block(migration=3))
    return [bytes(4096) + imsm_sectors(block) + bytes(BLOCK) for block in blocks]


def _sealed_ddf(data: bytes) -> bytes:
    """CRCs of the headers."""
    whole = data[: len(data) // BLOCK * BLOCK]
    blocks = (whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK))
    header = DDF_PRIMARY.to_bytes(4)
    return b"".join(with_ddf_crc(block) if block.startswith(header) else block for block in blocks)


def _sealed_imsm(data: bytes) -> bytes:
    """Of a block that fits into one sector."""
    whole = data[: len(data) // BLOCK * BLOCK]
    if len(whole) < 2 * BLOCK:
        return whole
    return whole[: -2 * BLOCK] + with_imsm_checksum(whole[-2 * BLOCK : -BLOCK]) + whole[-BLOCK:]


TARGETS = (
    Target("ddf", "metadata of firmware RAID", ddf, _ddf_seeds),
    Target("ddf-sealed", "the same, CRCs right", ddf, _ddf_seeds, fix_checksums=_sealed_ddf),
    Target("imsm", "metadata of firmware RAID", imsm, _imsm_seeds),
    Target("imsm-sealed", "the same, checksum right", imsm, _imsm_seeds, fix_checksums=_sealed_imsm),
)
