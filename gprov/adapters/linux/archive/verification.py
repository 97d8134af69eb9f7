"""One pass over an image file, in order: SHA-256 of the file, all checks of xz, all headers of tar."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gprov.adapters.linux.archive.blocks import Piece, decode_block
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.capture import CapturedNames
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import XzLayout
from gprov.domain.image.contents import VerifiedImage, verified_image
from gprov.domain.image.decoding import CHUNK, DecodingLimits
from gprov.ports.archive import ProgressReport


@dataclass(slots=True, kw_only=True)
class Verified:
    """Results of verification for unpacking: SHA-256 of each block, and the content of the first ``kept_blocks``."""

    image: VerifiedImage
    layout: XzLayout
    digests: tuple[bytes, ...]
    kept_blocks: int = 0
    kept: deque[bytes] = field(default_factory=deque, repr=False)


class Verification:
    """Keeps the first blocks whose content fits into ``limits.keep`` bytes. Raises IntegrityFault, DeviceFault."""

    def __init__(
        self,
        file: ImageFile,
        layout: XzLayout,
        limits: DecodingLimits,
        captured_names: CapturedNames,
        progress: ProgressReport,
    ) -> None:
        self._file = file
        self._layout = layout
        self._limits = limits
        self._progress = progress
        self._whole = hashlib.sha256()
        self._position = 0  # in the file: all before it is hashed
        self._walker = TarWalker(file.path, captured_names)
        self._kept: deque[bytes] = deque()
        self._kept_blocks = 0

    def run(self) -> Verified:
        blocks = self._layout.blocks
        digests: list[bytes] = []
        free_space = self._limits.keep
        with OrderedDecoder(self._decode, len(blocks), self._limits.workers, self._limits.window) as decoder:
            for number, block in enumerate(blocks):
                self._hash_until(block.offset)
                free_space -= block.uncompressed_size
                digests.append(self._block(decoder.pieces(number), keep=free_space >= 0))
                # Only the first blocks can be used: after one that does not fit, none is kept.
                free_space = free_space if free_space >= 0 else -1
        self._hash_until(self._layout.size)
        self._progress(self._position, self._layout.size)
        summary = self._walker.finish()
        image = verified_image(self._file.path, self._layout.size, self._whole.hexdigest(), summary)
        return Verified(
            image=image, layout=self._layout, digests=tuple(digests), kept_blocks=self._kept_blocks, kept=self._kept
        )

    def _decode(self, number: int) -> Iterator[Piece]:
        return decode_block(self._file, self._layout.blocks[number])

    def _block(self, pieces: Iterator[Piece], *, keep: bool) -> bytes:
        """Process one block; returns its SHA-256."""
        digest = b""
        for piece in pieces:
            if piece.raw:
                self._whole.update(piece.raw)
                self._position += len(piece.raw)
            if piece.data:
                self._walker.feed(piece.data)
                if keep:
                    self._kept.append(piece.data)
            digest = piece.digest
            self._progress(self._position, self._layout.size)
        self._kept_blocks += keep
        return digest

    def _hash_until(self, offset: int) -> None:
        """Hash the bytes between blocks: headers, indexes, footers and padding of streams."""
        while self._position < offset:
            data = self._file.read_at(self._position, min(CHUNK, offset - self._position))
            if not data:
                raise IntegrityFault(self._file.path, f"the file ends at offset {self._position}")
            self._whole.update(data)
            self._position += len(data)
