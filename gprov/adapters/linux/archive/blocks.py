"""Decodes one block of an .xz file piece by piece, with all checks of the format."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.formats.image.xz_fields import CHECK_SIZE
from gprov.domain.formats.image.xz_layout import XzBlock
from gprov.domain.image.decoding import CHUNK


class Source(Protocol):
    """Where the bytes of a block come from. Each block is read once, in order, in steps of CHUNK."""

    @property
    def path(self) -> str: ...

    def announce(self, offset: int, size: int) -> None:
        """These bytes will be read next."""

    def read_at(self, offset: int, size: int) -> bytes:
        """``size`` bytes, or fewer at the end of the file."""


class Piece(NamedTuple):
    """``data``: the next unpacked bytes; ``raw``: the bytes of the file that were read for them (a block's first and
    last piece include its header, padding and check), if they were asked for; ``digest``: SHA-256 of the block, on its
    last piece only, if it was asked for; ``end``: offset in the file of the first byte not read yet."""

    data: bytes
    raw: bytes
    digest: bytes
    end: int


def decode_block(source: Source, block: XzBlock) -> Iterator[Piece]:
    """Unpack a block in pieces of at most CHUNK bytes, with the bytes of the file and the SHA-256 of the content.

    Raises IntegrityFault, DeviceFault.
    """
    return _BlockDecoder(source, block, _Hashed(with_raw=True)).pieces()


def decode_again(source: Source, block: XzBlock, expected: bytes) -> Iterator[Piece]:
    """Unpack a block whose content had the SHA-256 ``expected`` when it was decoded before."""
    return _BlockDecoder(source, block, _Hashed(expected)).pieces()


def decode_authentic(source: Source, block: XzBlock) -> Iterator[Piece]:
    """Unpack a block whose compressed bytes were compared with a trusted SHA-256: that of the content is not computed.
    Sizes, padding and the end of the data are checked all the same."""
    return _BlockDecoder(source, block, None).pieces()


class _Hashed:
    """What is asked for of a block whose content is hashed."""

    def __init__(self, expected: bytes = b"", *, with_raw: bool = False) -> None:
        self.with_raw = with_raw
        self._expected = expected
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def check(self, stored: bytes) -> str:
        """What is wrong, "" if nothing is. ``stored``: the SHA-256 that the block has at its end."""
        if self.digest != stored:
            return "its SHA-256 does not match"
        if self._expected and self.digest != self._expected:
            return "its SHA-256 differs from that of verification"
        return ""

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


class _BlockDecoder:
    def __init__(self, source: Source, block: XzBlock, content: _Hashed | None) -> None:
        self._source = source
        self._block = block
        self._content = content
        self._unpacked = 0

    def pieces(self) -> Iterator[Piece]:
        block = self._block
        self._source.announce(block.offset, min(block.unpadded_size, 16 * CHUNK))
        data_end = block.data_offset + block.data_size
        tail = b""
        try:
            decoder = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=block.decoder())
            for start in range(block.offset, block.end, CHUNK):
                read = self._read(start, min(CHUNK, block.end - start))
                end = start + len(read)
                packed = read[max(0, block.data_offset - start) : max(0, data_end - start)]
                tail += read[max(0, data_end - start) :]
                raw = read if self._content is not None and self._content.with_raw else b""
                del read
                for data in self._decoded(decoder, packed):
                    yield Piece(data, raw, b"", end)
                    raw = packed = b""
                if raw:
                    yield Piece(b"", raw, b"", end)
        except lzma.LZMAError as exc:
            raise self._fault(f"the compressed data are damaged ({exc})") from exc
        except MemoryError as exc:
            reason = f"not enough memory to decode with a dictionary of {block.dictionary} bytes"
            raise DeviceFault(self._source.path, reason) from exc
        if not decoder.eof:
            raise self._fault("the compressed data do not end at the end of the block")
        yield Piece(b"", b"", self._finish(tail), block.end)

    def _decoded(self, decoder: lzma.LZMADecompressor, packed: bytes) -> Iterator[bytes]:
        while packed or not (decoder.eof or decoder.needs_input):
            if decoder.eof:
                raise self._fault("the compressed data do not end at the end of the block")
            data = decoder.decompress(packed, CHUNK)
            packed = b""
            self._count(data)
            if data:
                yield data
        if decoder.unused_data:
            raise self._fault("the compressed data do not end at the end of the block")

    def _count(self, data: bytes) -> None:
        if self._content is not None:
            self._content.update(data)
        self._unpacked += len(data)
        if self._unpacked > self._block.uncompressed_size:
            raise self._fault(f"unpacks to more than the {self._block.uncompressed_size} bytes that the index states")

    def _finish(self, tail: bytes) -> bytes:
        """Check the end of the block and return the SHA-256 of its content, b"" if that was not asked for."""
        if self._unpacked != self._block.uncompressed_size:
            raise self._fault(f"unpacks to {self._unpacked} bytes, should be {self._block.uncompressed_size}")
        if any(tail[:-CHECK_SIZE]):
            raise self._fault("its padding is not null bytes")
        if self._content is None:
            return b""
        problem = self._content.check(tail[-CHECK_SIZE:])
        if problem:
            raise self._fault(problem)
        return self._content.digest

    def _read(self, offset: int, size: int) -> bytes:
        data = self._source.read_at(offset, size)
        if len(data) < size:
            raise self._fault(f"the file ends at offset {offset + len(data)}, within the block")
        return data

    def _fault(self, reason: str) -> IntegrityFault:
        return IntegrityFault(self._source.path, f"block at offset {self._block.offset}: {reason}")
