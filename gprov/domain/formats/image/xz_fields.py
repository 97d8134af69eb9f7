"""Parsers for the parts of an .xz file.

Source: "The .xz File Format", version 1.1.0 (section numbers below). Every parser raises ``Malformed`` with the reason;
callers add file and offset.
"""

from __future__ import annotations

import lzma
import zlib
from dataclasses import dataclass

HEADER_MAGIC = b"\xfd7zXZ\0"
FOOTER_MAGIC = b"YZ"
HEADER_SIZE = 12
FOOTER_SIZE = 12
CHECK_SHA256 = 0x0A
CHECK_SIZE = 32
CHECK_NAMES = {0x00: "none", 0x01: "CRC32", 0x04: "CRC64", 0x0A: "SHA-256"}
# Each becomes an object in memory, and an index of some MiB could name millions. Two terabytes in blocks of 16 MiB have
# so many.
MAX_BLOCKS = 1 << 17
_MIN_BLOCK = 9  # a header of eight, and data; a check is not counted, the stream may have none
_VLI_BYTES = 9  # section 1.2: at most 63 bits

_LZMA2 = lzma.FILTER_LZMA2
_DELTA = lzma.FILTER_DELTA
_BRANCH = {  # section 5.3.2; the value is the alignment of the start offset
    lzma.FILTER_X86: 1,
    lzma.FILTER_POWERPC: 4,
    lzma.FILTER_IA64: 16,
    lzma.FILTER_ARM: 4,
    lzma.FILTER_ARMTHUMB: 2,
    lzma.FILTER_SPARC: 4,
}
_NEWER = {0x0A: " (ARM64)", 0x0B: " (RISC-V)"}
_DICTIONARY_CODES = 40


class Malformed(Exception):
    """A part does not conform to the format."""


@dataclass(frozen=True, slots=True)
class XzFilter:
    """``value``: dictionary size of LZMA2, distance of Delta (both bytes), start offset of a branch filter."""

    id: int
    value: int

    def spec(self) -> dict[str, int]:
        """The filter as the lzma module expects it."""
        if self.id == _LZMA2:
            return {"id": self.id, "dict_size": self.value}
        if self.id == _DELTA:
            return {"id": self.id, "dist": self.value}
        return {"id": self.id, "start_offset": self.value}


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """Sizes are None if only the index has them."""

    compressed_size: int | None
    uncompressed_size: int | None
    filters: tuple[XzFilter, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One block in an index; bytes."""

    unpadded_size: int
    uncompressed_size: int


def padded(size: int) -> int:
    """Rounded up to the next multiple of four."""
    return (size + 3) & ~3


def parse_stream_header(data: bytes) -> int:
    """Check id of a stream, from its 12-byte header (2.1.1)."""
    if data[:6] != HEADER_MAGIC:
        raise Malformed("stream header: magic bytes are missing")
    if _crc(data[6:8]) != data[8:12]:
        raise Malformed("stream header: CRC32 does not match")
    return _flags(data[6:8], "stream header")


def parse_stream_footer(data: bytes) -> tuple[int, int]:
    """Check id and size of the index in bytes, from the 12-byte footer (2.1.2)."""
    if data[10:12] != FOOTER_MAGIC:
        raise Malformed("stream footer: magic bytes are missing (cut short, or something was appended)")
    if _crc(data[4:10]) != data[:4]:
        raise Malformed("stream footer: CRC32 does not match")
    return _flags(data[8:10], "stream footer"), (int.from_bytes(data[4:8], "little") + 1) * 4


def parse_index(data: bytes) -> tuple[Record, ...]:
    """All records of an index with its padding and CRC32 (4)."""
    if _crc(data[:-4]) != data[-4:]:
        raise Malformed("index: CRC32 does not match")
    if data[0] != 0:
        raise Malformed("index: does not begin with its indicator")
    body = data[:-4]
    count, position = _vli(body, 1)
    if count > min((len(body) - position) // 2, MAX_BLOCKS):
        raise Malformed(f"index: has no room for {count} records")
    records = []
    for _ in range(count):
        unpadded, position = _vli(body, position)
        if unpadded < _MIN_BLOCK:
            raise Malformed(f"index: {unpadded} bytes are too few for a block")
        uncompressed, position = _vli(body, position)
        records.append(Record(unpadded, uncompressed))
    if len(body) - position > 3 or any(body[position:]):
        raise Malformed("index: padding is not 0 to 3 null bytes")
    return tuple(records)


def block_header_size(first: int, available: int) -> int:
    """Size of a block header in bytes, from its first byte (3.1.1). ``available``: bytes for it and the compressed
    data."""
    if first == 0:
        raise Malformed("block header: an index stands where a block should")
    size = (first + 1) * 4
    if size >= available:
        raise Malformed("block header: is larger than the index says the block is")
    return size


def parse_block_header(data: bytes) -> BlockHeader:
    """A whole block header (3.1)."""
    if _crc(data[:-4]) != data[-4:]:
        raise Malformed("block header: CRC32 does not match")
    body, flags = data[:-4], data[1]
    if flags & 0x3C:
        raise Malformed(f"block header: reserved flags are set ({flags:#04x})")
    position = 2
    compressed: int | None = None
    uncompressed: int | None = None
    if flags & 0x40:
        compressed, position = _vli(body, position)
    if flags & 0x80:
        uncompressed, position = _vli(body, position)
    count = (flags & 3) + 1
    filters = []
    for number in range(count):
        one, position = _filter(body, position, last=number == count - 1)
        filters.append(one)
    if any(body[position:]):
        raise Malformed("block header: padding is not null bytes")
    return BlockHeader(compressed, uncompressed, tuple(filters))


def _filter(body: bytes, position: int, *, last: bool) -> tuple[XzFilter, int]:
    kind, position = _vli(body, position)
    size, position = _vli(body, position)
    properties = body[position : position + size]
    if len(properties) < size:
        raise Malformed("block header: ends within filter properties")
    if kind not in (_LZMA2, _DELTA, *_BRANCH):
        raise Malformed(f"block header: filter {kind:#x}{_NEWER.get(kind, '')} is not supported")
    if (kind == _LZMA2) != last:
        raise Malformed(f"block header: filter {kind:#x} stands where it must not (LZMA2 is always the last one)")
    return XzFilter(kind, _filter_value(kind, properties)), position + size


def _filter_value(kind: int, properties: bytes) -> int:
    if kind == _LZMA2:
        if len(properties) != 1 or properties[0] > _DICTIONARY_CODES:
            raise Malformed(f"block header: LZMA2 properties {properties.hex()} are not valid")
        code = properties[0]
        return 0xFFFFFFFF if code == _DICTIONARY_CODES else (2 | code & 1) << (code // 2 + 11)
    if kind == _DELTA:
        if len(properties) != 1:
            raise Malformed("block header: Delta needs one byte of properties")
        return properties[0] + 1
    if len(properties) not in (0, 4):
        raise Malformed("block header: a branch filter has 0 or 4 bytes of properties")
    start = int.from_bytes(properties, "little")
    if start % _BRANCH[kind]:
        raise Malformed(f"block header: start offset {start} does not suit filter {kind:#x}")
    return start


def _flags(data: bytes, where: str) -> int:
    if data[0] or data[1] & 0xF0:
        raise Malformed(f"{where}: reserved flags are set ({data.hex()})")
    return data[1]


def _vli(data: bytes, position: int) -> tuple[int, int]:
    """Multibyte integer (1.2) and the position after it."""
    value = 0
    for index, byte in enumerate(data[position : position + _VLI_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            if byte == 0 and index > 0:
                raise Malformed("a number is not in its shortest form")
            return value, position + index + 1
    raise Malformed("a number does not end")


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")
