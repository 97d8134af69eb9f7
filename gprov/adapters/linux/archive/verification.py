"""One pass over all bytes of an image file, in order: SHA-256 of the file, every check of xz, every header of tar."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gprov.adapters.linux.archive.blocks import Piece, decode_block
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.capture import WantedMembers
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import XzLayout
from gprov.domain.image.contents import VerifiedImage, described
from gprov.domain.image.decoding import CHUNK, DecodingPlan
from gprov.ports.archive import ProgressReport


@dataclass(slots=True, kw_only=True)
class Verified:
    """What verification leaves for unpacking: SHA-256 of each block, and the content of the first ``kept_blocks``."""

    image: VerifiedImage
    layout: XzLayout
    digests: tuple[bytes, ...]
    kept_blocks: int = 0
    kept: deque[bytes] = field(default_factory=deque, repr=False)


class Verification:
    """Raises IntegrityFault, DeviceFault. Keeps the first blocks whose content fits into ``plan.keep`` bytes."""

    def __init__(
        self, file: ImageFile, layout: XzLayout, plan: DecodingPlan, wanted: WantedMembers, progress: ProgressReport
    ) -> None:
        self._file = file
        self._layout = layout
        self._plan = plan
        self._progress = progress
        self._whole = hashlib.sha256()
        self._position = 0  # in the file: all before it is hashed
        self._walker = TarWalker(file.path, wanted)
        self._kept: deque[bytes] = deque()
        self._kept_blocks = 0

    def run(self) -> Verified:
        blocks = self._layout.blocks
        digests: list[bytes] = []
        room = self._plan.keep
        with OrderedDecoder(self._decode, len(blocks), self._plan.workers, self._plan.window) as decoder:
            for number, block in enumerate(blocks):
                self._pass_until(block.offset)
                room -= block.uncompressed_size
                digests.append(self._block(decoder.pieces(number), keep=room >= 0))
                # Only the first blocks are of use: one that does not fit ends the row.
                room = room if room >= 0 else -1
        self._pass_until(self._layout.size)
        self._progress(self._position, self._layout.size)
        summary = self._walker.finish()
        image = described(self._file.path, self._layout.size, self._whole.hexdigest(), summary)
        return Verified(
            image=image, layout=self._layout, digests=tuple(digests), kept_blocks=self._kept_blocks, kept=self._kept
        )

    def _decode(self, number: int) -> Iterator[Piece]:
        return decode_block(self._file, self._layout.blocks[number])

    def _block(self, pieces: Iterator[Piece], *, keep: bool) -> bytes:
        """Take one block in; returns its SHA-256."""
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

    def _pass_until(self, offset: int) -> None:
        """Hash what lies between blocks: headers, indexes, footers and padding of streams."""
        while self._position < offset:
            data = self._file.read_at(self._position, min(CHUNK, offset - self._position))
            if not data:
                raise IntegrityFault(self._file.path, f"the file ends at offset {self._position}")
            self._whole.update(data)
            self._position += len(data)
