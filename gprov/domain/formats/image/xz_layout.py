"""Layout of an .xz file: its streams and blocks, found from the end of the file and cross-checked.

Nothing is decoded here. Decoding must check the rest of each block: the compressed data, their unpacked size, the
padding and the SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.xz_fields import (
    CHECK_NAMES,
    CHECK_SHA256,
    CHECK_SIZE,
    FOOTER_SIZE,
    HEADER_MAGIC,
    HEADER_SIZE,
    MAX_BLOCKS,
    Malformed,
    Record,
    XzFilter,
    block_header_size,
    padded,
    parse_block_header,
    parse_index,
    parse_stream_footer,
    parse_stream_header,
)

# read_at(offset, size) -> exactly size bytes, or fewer at the end of the file
ReadAt = Callable[[int, int], bytes]
T = TypeVar("T")

# Mostly there is none: the first look is a short one.
_PADDING_STEP = 64
MAX_PADDING_STEP = 64 << 10  # bytes of one read
_MAX_INDEX = 8 << 20  # MAX_BLOCKS with the longest numbers need 2.3 MiB
_MAX_STREAMS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class XzStream:
    """``number`` counts from 1. ``offset`` and ``size`` in bytes, stream padding not included."""

    number: int
    offset: int
    size: int
    check: int
    index_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class XzBlock:
    """``offset`` of the block header in the file; ``stream`` is the number of the stream it belongs to."""

    offset: int
    unpadded_size: int
    uncompressed_size: int
    filters: tuple[XzFilter, ...]
    stream: int
    header_size: int

    @property
    def data_offset(self) -> int:
        """Where the compressed data begin."""
        return self.offset + self.header_size

    @property
    def data_size(self) -> int:
        """Bytes of compressed data."""
        return self.unpadded_size - self.header_size - CHECK_SIZE

    @property
    def end(self) -> int:
        """Offset of the first byte after the block."""
        return self.offset + padded(self.unpadded_size)

    @property
    def tail_size(self) -> int:
        """Bytes after the compressed data: padding and SHA-256."""
        return self.end - self.data_offset - self.data_size

    @property
    def dictionary(self) -> int:
        """Dictionary bytes that a decoder needs for this block: never more than its unpacked size."""
        return min(self.filters[-1].value, max(self.uncompressed_size, 4096))

    def decoder(self) -> list[dict[str, int]]:
        """Filter chain for a raw decoder of the lzma module."""
        return [*(one.spec() for one in self.filters[:-1]), XzFilter(self.filters[-1].id, self.dictionary).spec()]


@dataclass(frozen=True, slots=True)
class XzLayout:
    """All streams and blocks in file order. ``size``: bytes of the file."""

    size: int
    streams: tuple[XzStream, ...]
    blocks: tuple[XzBlock, ...]

    @property
    def uncompressed_size(self) -> int:
        return sum(block.uncompressed_size for block in self.blocks)


def read_layout(source: str, size: int, read_at: ReadAt) -> XzLayout:
    """Find all streams and blocks of a file of ``size`` bytes. Raises IntegrityFault if the file is malformed, or if
    the check of a stream is not SHA-256."""
    return _Reader(source, size, read_at).layout()


class _Reader:
    def __init__(self, source: str, size: int, read_at: ReadAt) -> None:
        self._source = source
        self._size = size
        self._read_at = read_at
        self._filters: dict[tuple[XzFilter, ...], tuple[XzFilter, ...]] = {}  # those of all blocks are the same

    def layout(self) -> XzLayout:
        if self._size < HEADER_SIZE:
            raise self._fault(0, "is empty" if self._size == 0 else f"is only {self._size} bytes long")
        if self._read(0, len(HEADER_MAGIC)) != HEADER_MAGIC:
            raise self._fault(0, "is not an xz file")
        if self._size % 4:
            raise self._fault(self._size, "its size is not a multiple of four: cut short, or something was appended")
        found = self._streams_backwards()
        streams = tuple(
            XzStream(number=number, offset=one.offset, size=one.size, check=one.check, index_size=one.index_size)
            for number, (one, _) in enumerate(reversed(found), 1)
        )
        for stream in streams:
            self._require_sha256(stream)
        blocks = [
            block
            for stream, (_, records) in zip(streams, reversed(found), strict=True)
            for block in self._blocks(stream, records)
        ]
        return XzLayout(self._size, streams, tuple(blocks))

    def _streams_backwards(self) -> list[tuple[XzStream, tuple[Record, ...]]]:
        found = []
        blocks = 0
        end = self._size
        while end > 0:
            end = self._skip_padding(end)
            stream, records = self._stream_before(end)
            found.append((stream, records))
            blocks += len(records)
            if blocks > MAX_BLOCKS or len(found) > _MAX_STREAMS:
                raise self._fault(stream.offset, f"more than {_MAX_STREAMS} streams or {MAX_BLOCKS} blocks")
            end = stream.offset
        return found

    def _skip_padding(self, end: int) -> int:
        """Stream padding (2.2): a multiple of four null bytes, never at the start of the file."""
        step = _PADDING_STEP
        while end > 0:
            start = max(0, end - step)
            content = self._read(start, end - start)
            kept = len(content.rstrip(b"\0"))
            if kept:
                return start + padded(kept)
            end = start
            step = MAX_PADDING_STEP
        raise self._fault(0, "holds nothing but padding")

    def _stream_before(self, end: int) -> tuple[XzStream, tuple[Record, ...]]:
        footer_at = end - FOOTER_SIZE
        if footer_at < HEADER_SIZE:
            raise self._fault(0, "is too short for an xz stream")
        check, index_size = self._parsed(footer_at, FOOTER_SIZE, parse_stream_footer)
        index_at = footer_at - index_size
        if index_at < HEADER_SIZE:
            raise self._fault(footer_at, "stream footer: its index would begin before the file")
        if index_size > _MAX_INDEX:
            raise self._fault(index_at, f"index: {index_size} bytes are more than any image needs")
        records = self._parsed(index_at, index_size, parse_index)
        offset = index_at - sum(padded(record.unpadded_size) for record in records) - HEADER_SIZE
        if offset < 0:
            raise self._fault(index_at, "index: its blocks would begin before the file")
        if self._parsed(offset, HEADER_SIZE, parse_stream_header) != check:
            raise self._fault(offset, "stream header and footer disagree about the check")
        return XzStream(number=0, offset=offset, size=end - offset, check=check, index_size=index_size), records

    def _require_sha256(self, stream: XzStream) -> None:
        if stream.check != CHECK_SHA256:
            name = CHECK_NAMES.get(stream.check, f"unknown ({stream.check:#04x})")
            raise self._fault(stream.offset, f"stream {stream.number} must have the check SHA-256, has {name}")

    def _blocks(self, stream: XzStream, records: tuple[Record, ...]) -> list[XzBlock]:
        blocks = []
        offset = stream.offset + HEADER_SIZE
        for record in records:
            blocks.append(self._block(stream, offset, record))
            offset += padded(record.unpadded_size)
        return blocks

    def _block(self, stream: XzStream, offset: int, record: Record) -> XzBlock:
        room = record.unpadded_size - CHECK_SIZE
        if room < 2:
            raise self._fault(offset, f"index: {record.unpadded_size} bytes are too few for a block")
        # Most headers are 12 to 24 bytes long: one read in place of two.
        start = self._read(offset, min(room, 32))
        try:
            size = block_header_size(start[0], room)
            header = parse_block_header(start[:size] if size <= len(start) else self._read(offset, size))
        except Malformed as exc:
            raise self._fault(offset, str(exc)) from exc
        block = XzBlock(
            offset=offset,
            unpadded_size=record.unpadded_size,
            uncompressed_size=record.uncompressed_size,
            filters=self._filters.setdefault(header.filters, header.filters),
            stream=stream.number,
            header_size=size,
        )
        if header.compressed_size not in (None, block.data_size):
            raise self._fault(offset, "block header and index disagree about the compressed size")
        if header.uncompressed_size not in (None, block.uncompressed_size):
            raise self._fault(offset, "block header and index disagree about the uncompressed size")
        return block

    def _parsed(self, offset: int, size: int, parse: Callable[[bytes], T]) -> T:
        try:
            return parse(self._read(offset, size))
        except Malformed as exc:
            raise self._fault(offset, str(exc)) from exc

    def _read(self, offset: int, size: int) -> bytes:
        data = self._read_at(offset, size)
        if len(data) != size:
            raise self._fault(offset + len(data), "the file ends here, shorter than it said")
        return data

    def _fault(self, offset: int, reason: str) -> IntegrityFault:
        return IntegrityFault(self._source, f"{reason} (offset {offset})")
