"""Decodes one block of an .xz file piece by piece, with all checks of the format."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterator
from typing import NamedTuple

from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.formats.image.xz_fields import CHECK_SIZE
from gprov.domain.formats.image.xz_layout import XzBlock
from gprov.domain.image.decoding import CHUNK


class Piece(NamedTuple):
    """``data``: the next unpacked bytes; ``raw``: the bytes of the file that were read for them (a block's first and
    last piece include its header, padding and check); ``digest``: SHA-256 of the block, on its last piece only."""

    data: bytes
    raw: bytes
    digest: bytes


def decode_block(file: ImageFile, block: XzBlock, expected: bytes = b"") -> Iterator[Piece]:
    """Unpack a block in pieces of at most CHUNK bytes.

    ``expected``: the SHA-256 of the block during verification. Raises IntegrityFault, DeviceFault.
    """
    return _BlockDecoder(file, block, expected).pieces()


class _BlockDecoder:
    def __init__(self, file: ImageFile, block: XzBlock, expected: bytes) -> None:
        self._file = file
        self._block = block
        self._expected = expected
        self._hash = hashlib.sha256()
        self._unpacked = 0

    def pieces(self) -> Iterator[Piece]:
        block = self._block
        self._file.announce(block.offset, min(block.unpadded_size, 16 * CHUNK))
        raw = self._read(block.offset, block.header_size)
        try:
            decoder = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=block.decoder())
            position, end = block.data_offset, block.data_offset + block.data_size
            while position < end:
                packed = self._read(position, min(CHUNK, end - position))
                position += len(packed)
                raw += packed
                while True:
                    data = decoder.decompress(packed, CHUNK)
                    self._count(data)
                    if data:
                        yield Piece(data, raw, b"")
                        raw = packed = b""
                    if decoder.eof or decoder.needs_input:
                        break
                    packed = b""
                if decoder.eof:
                    break
            if not decoder.eof or decoder.unused_data or position < end:
                raise self._fault("the compressed data do not end at the end of the block")
        except lzma.LZMAError as exc:
            raise self._fault(f"the compressed data are damaged ({exc})") from exc
        except MemoryError as exc:
            reason = f"not enough memory to decode with a dictionary of {block.dictionary} bytes"
            raise DeviceFault(self._file.path, reason) from exc
        tail = self._read(end, block.tail_size)
        yield Piece(b"", raw + tail, self._digest(tail))

    def _count(self, data: bytes) -> None:
        self._hash.update(data)
        self._unpacked += len(data)
        if self._unpacked > self._block.uncompressed_size:
            raise self._fault(f"unpacks to more than the {self._block.uncompressed_size} bytes that the index states")

    def _digest(self, tail: bytes) -> bytes:
        """Check the end of the block and return its SHA-256."""
        if self._unpacked != self._block.uncompressed_size:
            raise self._fault(f"unpacks to {self._unpacked} bytes, should be {self._block.uncompressed_size}")
        if any(tail[:-CHECK_SIZE]):
            raise self._fault("its padding is not null bytes")
        digest = self._hash.digest()
        if digest != tail[-CHECK_SIZE:]:
            raise self._fault("its SHA-256 does not match")
        if self._expected and digest != self._expected:
            raise self._fault("its SHA-256 differs from that of verification")
        return digest

    def _read(self, offset: int, size: int) -> bytes:
        data = self._file.read_at(offset, size)
        if len(data) < size:
            raise self._fault(f"the file ends at offset {offset + len(data)}, within the block")
        return data

    def _fault(self, reason: str) -> IntegrityFault:
        return IntegrityFault(self._file.path, f"block at offset {self._block.offset}: {reason}")
