"""The first pass over an image with a trusted SHA-256: the file as stored is hashed, and nothing of it is decoded.

Unpacking reads the compressed data from memory as far as they were kept. What is read again is compared with the first
pass before it is decoded. For that, no hash of its own is needed: the state of the file's SHA-256 before each segment
is kept, and gives with the segment the same state after it as in the first pass, or the data differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, Self

from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.xz_layout import MAX_PADDING_STEP, XzLayout
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import CHUNK, check_authentic_digest
from gprov.ports.archive import ProgressReport

_READ_AHEAD = 8 * CHUNK
_PADDING = bytes(MAX_PADDING_STEP)


class Sha256(Protocol):
    """Of hashlib: a state that can be copied."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...

    def copy(self) -> Self: ...


def new_sha256() -> Sha256:
    return hashlib.sha256()


@dataclass(frozen=True, slots=True)
class Mark:
    """SHA-256 of the file: its state ``before`` a segment, its value ``after`` it."""

    before: Sha256
    after: bytes


@dataclass(slots=True)
class StoredImage:
    """Results of the first pass. ``kept``: segments in memory, ``marks``: of all others; both by offset. A segment is
    CHUNK bytes of a block, or its rest."""

    image: VerifiedImage
    layout: XzLayout
    kept: dict[int, bytes] = field(default_factory=dict, repr=False)
    marks: dict[int, Mark] = field(default_factory=dict, repr=False)


class RecordedReads:
    """Reads of the layout, made before the file was hashed: hashing must come across the same bytes."""

    def __init__(self, file: ImageFile) -> None:
        self._file = file
        self._reads: list[tuple[int, bytes]] = []
        self._begun: list[tuple[int, bytes]] = []  # those that reach beyond what was compared

    def read_at(self, offset: int, size: int) -> bytes:
        data = self._file.read_at(offset, size)
        # Padding between streams may be as large as the file: its parts are one object.
        self._reads.append((offset, _PADDING if data == _PADDING else data))
        return data

    def seal(self) -> None:
        """No further reads follow."""
        self._reads.sort(reverse=True)

    def differ(self, offset: int, data: bytes) -> bool:
        """Whether ``data``, now read at ``offset``, differ from what was read there before. To be called for the whole
        file, in order."""
        end = offset + len(data)
        while self._reads and self._reads[-1][0] < end:
            self._begun.append(self._reads.pop())
        for start, read in self._begun:
            low, high = max(start, offset), min(start + len(read), end)
            if read[low - start : high - start] != data[low - offset : high - offset]:
                return True
        self._begun = [(start, read) for start, read in self._begun if start + len(read) > end]
        return False


class StoredVerification:
    """``reads``: those of the layout. ``keep``: bytes of compressed data to keep at most. Raises IntegrityFault,
    DeviceFault."""

    def __init__(self, file: ImageFile, reads: RecordedReads, keep: int, sha256: Callable[[], Sha256]) -> None:
        self._file = file
        self._reads = reads
        self._keep = keep
        self._whole = sha256()

    def run(self, expected: VerifiedImage, layout: XzLayout, progress: ProgressReport) -> StoredImage:
        self._reads.seal()
        stored, announced = StoredImage(expected, layout), 0
        for offset, size, in_block in _segments(layout):
            if offset + size > announced - _READ_AHEAD // 2:  # half of it is still to be read
                self._file.announce(announced, _READ_AHEAD)
                announced += _READ_AHEAD
            data = self._read(offset, size)
            if in_block and len(data) <= self._keep:
                self._keep -= len(data)
                stored.kept[offset] = data
                self._whole.update(data)
            elif in_block:
                self._keep = 0  # only the first are kept
                before = self._whole.copy()
                self._whole.update(data)
                stored.marks[offset] = Mark(before, self._whole.digest())
            else:
                self._whole.update(data)
            progress(offset + size, layout.size)
        check_authentic_digest(expected, self._whole.hexdigest())
        return stored

    def _read(self, offset: int, size: int) -> bytes:
        data = self._file.read_at(offset, size)
        if len(data) < size:
            raise IntegrityFault(self._file.path, f"the file ends at offset {offset + len(data)}")
        if self._reads.differ(offset, data):
            raise IntegrityFault(self._file.path, f"reading it twice gave different data (offset {offset})")
        return data


class AuthenticSource:
    """The blocks of an image after the first pass: each segment once. Raises IntegrityFault for a segment that differs
    from that of the first pass, DeviceFault. Used from several threads."""

    def __init__(self, file: ImageFile, stored: StoredImage) -> None:
        self._file = file
        self._stored = stored

    @property
    def path(self) -> str:
        return self._file.path

    def announce(self, offset: int, size: int) -> None:
        if offset in self._stored.marks:
            self._file.announce(offset, size)

    def read_at(self, offset: int, size: int) -> bytes:
        kept = self._stored.kept.pop(offset, None)
        if kept is not None:
            return kept
        mark = self._stored.marks[offset]
        data = self._file.read_at(offset, size)
        mark.before.update(data)
        if mark.before.digest() != mark.after:
            raise IntegrityFault(self.path, f"the data at offset {offset} differ from those that were verified")
        del self._stored.marks[offset]
        return data


def _segments(layout: XzLayout) -> Iterator[tuple[int, int, bool]]:
    """Offset, size, and whether it is of a block: all bytes of the file in order, in steps of at most CHUNK."""
    position = 0
    for block in layout.blocks:
        yield from ((start, size, False) for start, size in _steps(position, block.offset))
        yield from ((start, size, True) for start, size in _steps(block.offset, block.end))
        position = block.end
    yield from ((start, size, False) for start, size in _steps(position, layout.size))


def _steps(start: int, end: int) -> Iterator[tuple[int, int]]:
    return ((offset, min(CHUNK, end - offset)) for offset in range(start, end, CHUNK))
