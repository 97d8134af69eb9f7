"""Verification of an image in memory: reference implementation.

The Linux adapter does the same for files of any size on all cores; tests compare both, and the simulated machine uses
this one. Here liblzma checks the streams; the adapter checks them itself.
"""

from __future__ import annotations

import hashlib
import lzma

from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage, verified_image
from gprov.domain.image.decoding import (
    CHUNK,
    check_authentic_digest,
    check_authentic_layout,
    check_authentic_size,
    check_unpacked_size,
)


def verify_image(path: str, data: bytes, branding: Branding | None = None, limit: int | None = None) -> VerifiedImage:
    """Check an image from the first to the last byte. Raises IntegrityFault, also if its index states more than
    ``limit`` unpacked bytes."""
    layout = read_layout(path, len(data), lambda offset, size: data[offset : offset + size])
    check_unpacked_size(path, layout, limit)
    walker = TarWalker(path, captured_names(branding or Branding()))
    for stream in layout.streams:
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        packed = data[stream.offset : stream.offset + stream.size]
        try:
            # Piece by piece: a small file may unpack to anything.
            while not decoder.eof and (packed or not decoder.needs_input):
                walker.feed(decoder.decompress(packed, CHUNK))
                packed = b""
        except lzma.LZMAError as exc:
            raise IntegrityFault(path, f"stream {stream.number} at offset {stream.offset}: {exc}") from exc
        if not decoder.eof or decoder.unused_data:
            raise IntegrityFault(path, f"stream {stream.number} at offset {stream.offset} does not end where it says")
    summary = walker.finish()
    return verified_image(path, len(data), hashlib.sha256(data).hexdigest(), summary)


def check_stored(expected: VerifiedImage, data: bytes, limit: int | None = None) -> None:
    """Compare a file with the sizes and the SHA-256 of a trusted manifest. Nothing is decoded. Raises IntegrityFault,
    also if its index states more than ``limit`` unpacked bytes."""
    check_authentic_size(expected, len(data))
    layout = read_layout(expected.path, len(data), lambda offset, size: data[offset : offset + size])
    check_authentic_layout(expected, layout, limit)
    check_authentic_digest(expected, hashlib.sha256(data).hexdigest())
