"""Reading a tar archive as it streams by: every header checked, data skipped, a few members kept.

Understands ustar, GNU and pax archives, concatenated ones included (as ``tar -i`` does), and refuses what GNU tar would
stumble over when unpacking. Written for speed: a restore runs it over some ten thousand members on slow processors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.capture import Capture, WantedMembers
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.tar_devices import check_device
from gprov.domain.formats.image.tar_extensions import Extensions
from gprov.domain.formats.image.tar_fields import (
    BLOCK,
    ZERO_BLOCK,
    Malformed,
    check_numbers,
    checksum_matches,
    member_name,
    number,
    pax_number,
    text,
)
from gprov.domain.formats.image.tar_names import FOLDER, HARD_LINK, SYMLINK, Places, show

_LARGEST_EXTENSION = 16 << 20  # of one extended header; extended attributes are at most 64 KiB each
_REGULAR = b"0\x007S"
_SPARSE = b"S"
_WITHOUT_DATA = b"23456"  # symlink, character and block device, folder, pipe
_VOLUME_LABEL = b"V"


@dataclass(frozen=True, slots=True)
class TarSummary:
    """``unpacked``: bytes of the archive; ``content_bytes``: sum of the sizes of regular files, holes included."""

    unpacked: int
    content_bytes: int
    entries: int
    files: CapturedFiles


@dataclass(frozen=True, slots=True)
class Span:
    """Where one member (with its extended headers and padding) lies in the archive: offsets in bytes."""

    name: bytes
    start: int
    end: int


class TarWalker:
    """Feed an archive in chunks of any size, then ``finish``. Raises IntegrityFault naming the archive and the offset.

    ``wanted``: the members to keep; ``spans`` tells where those that concern a restore lie.
    """

    def __init__(self, what: str, wanted: WantedMembers) -> None:
        self._what = what
        self._capture = Capture(wanted)
        self._places = Places()
        self._partial = b""  # start of a header that is not here whole yet
        self._offset = 0  # of the next byte to look at, in the archive
        self._skip = 0  # bytes of data still to pass
        self._kept: bytearray | None = None  # data being kept while they pass
        self._keep = 0  # how many of them are wanted in all
        self._then: Callable[[bytes], None] | None = None  # what the kept data are for
        self._extensions = Extensions()
        self._in_sparse_map = False
        self._after_map = 0
        self._ended = False
        self._entries = 0
        self._content_bytes = 0
        self.spans: list[Span] = []

    def feed(self, data: bytes) -> None:
        """The next bytes of the archive."""
        position = 0
        size = len(data)
        if self._partial:
            position = BLOCK - len(self._partial)
            header = self._partial + data[:position]
            if len(header) < BLOCK:
                self._partial = header
                return
            self._partial = b""
            self._block(header)
        while position < size:
            if self._skip:
                position += self._pass_data(data, position)
            elif size - position >= BLOCK:
                self._block(data[position : position + BLOCK])
                position += BLOCK
            else:
                self._partial = data[position:]
                return

    def finish(self) -> TarSummary:
        """The archive has ended. Raises IntegrityFault if it was cut, be it between two members."""
        if self._skip:
            raise self._fault(f"the archive is cut: {self._skip} bytes of the last member are missing")
        if self._partial:
            raise self._fault("the archive is cut within a block")
        if self._in_sparse_map or self._extensions.pending:
            raise self._fault("the archive is cut: an extended header is not followed by its member")
        if not self._ended:
            raise self._fault("the archive is cut: its end mark (a block of zeros) is missing")
        if not self._entries:
            raise self._fault("the archive holds no members")
        return TarSummary(self._offset, self._content_bytes, self._entries, self._capture.result())

    def _pass_data(self, data: bytes, position: int) -> int:
        step = min(self._skip, len(data) - position)
        kept = self._kept
        if kept is not None and len(kept) < self._keep:
            kept += data[position : position + min(step, self._keep - len(kept))]
        self._skip -= step
        self._offset += step
        if not self._skip and kept is not None:
            self._kept = None
            if self._then is not None:
                self._guarded(self._then, bytes(kept))
        return step

    def _block(self, block: bytes) -> None:
        if block[0] == 0 and block == ZERO_BLOCK and not self._in_sparse_map:
            if self._extensions.pending:
                raise self._fault("an extended header is followed by the end of the archive")
            self._ended = True
        else:
            self._guarded(self._sparse_map if self._in_sparse_map else self._header, block)
        self._offset += BLOCK

    def _guarded(self, parse: Callable[[bytes], None], data: bytes) -> None:
        try:
            parse(data)
        except Malformed as exc:
            raise self._fault(str(exc)) from exc

    def _header(self, header: bytes) -> None:
        if not checksum_matches(header):
            raise Malformed("this is no tar header: its checksum does not match")
        self._ended = False
        kind = header[156:157]
        if kind in _REGULAR or kind in _WITHOUT_DATA or kind == HARD_LINK:
            self._member(header, kind)
        elif kind in self._extensions.takers:
            self._extension(header, self._extensions.takers[kind])
        elif kind != _VOLUME_LABEL:
            raise Malformed(f"member {show(text(header[:100]))} has the type {show(kind)}, which no image can hold")

    def _member(self, header: bytes, kind: bytes) -> None:
        extensions = self._extensions
        size = number(header[124:136])
        check_numbers(header)
        name = member_name(header)
        start = self._offset
        if extensions.start is not None:
            name, size, start = extensions.name or name, extensions.size(size), extensions.start
        if b"\0" in name:
            raise Malformed(f"the name {show(name)} holds a null byte")
        if name[-1:] == b"/" and kind in _REGULAR and kind != _SPARSE:
            kind = FOLDER  # so old archives write it
        clean = self._places.add(name, kind)
        self._entries += 1
        if kind in _REGULAR:
            self._regular(header, kind, clean, size, start)
        else:
            self._without_data(header, kind, clean, size)
        if extensions.start is not None:
            extensions.clear()

    def _regular(self, header: bytes, kind: bytes, name: bytes, size: int, start: int) -> None:
        real: int | None = None  # size with holes, of a sparse file
        if kind == _SPARSE:
            real = number(header[483:495])
            self._in_sparse_map = header[482] != 0
        elif self._extensions.pax:
            real = pax_number(self._extensions.pax, b"GNU.sparse.realsize", b"GNU.sparse.size")
        self._content_bytes += size if real is None else real
        skip = (size + BLOCK - 1) // BLOCK * BLOCK
        if self._in_sparse_map:
            self._after_map = skip
        else:
            self._skip = skip
        if self._capture.concerns(name):
            self._concerned(name, size, start, skip, sparse=real is not None)

    def _concerned(self, name: bytes, size: int, start: int, skip: int, *, sparse: bool) -> None:
        """A file that a restore plan looks into. Data of sparse files are not laid out as their content is."""
        self.spans.append(Span(name, start, self._offset + BLOCK + skip))
        wanted = self._capture.file(name, size, self._offset)
        if wanted and sparse:
            raise Malformed(f"{show(name)} is stored as a sparse file; store it whole")
        if wanted:
            self._collect(wanted, lambda content: self._capture.keep(name, content))

    def _without_data(self, header: bytes, kind: bytes, name: bytes, size: int) -> None:
        if size and kind != HARD_LINK:
            raise Malformed(f"{show(name)} is of a type without data, yet has {size} bytes")
        concerned = self._capture.concerns(name)
        check_device(header, kind, name)
        if kind in (HARD_LINK, SYMLINK):
            target = self._extensions.link or text(header[157:257])
            if kind == SYMLINK:
                self._places.add_symlink(target)
                if concerned:
                    self._capture.symlink(name, target)
                return
            target = self._places.check_hard_link(name, target)
            if concerned:
                self._capture.link(name, target)
        elif concerned:
            self._capture.other(name)

    def _extension(self, header: bytes, then: Callable[[bytes], None]) -> None:
        size = number(header[124:136])
        if not 0 < size <= _LARGEST_EXTENSION:
            raise Malformed(f"an extended header has {size} bytes")
        self._extensions.begin(self._offset, header[156:157])
        self._skip = (size + BLOCK - 1) // BLOCK * BLOCK
        self._collect(size, then)

    def _collect(self, size: int, then: Callable[[bytes], None]) -> None:
        self._kept = bytearray()
        self._keep = size
        self._then = then

    def _sparse_map(self, block: bytes) -> None:
        """A continuation of the map of an old GNU sparse file; its byte 504 tells whether another follows."""
        self._in_sparse_map = block[504] != 0
        if not self._in_sparse_map:
            self._skip = self._after_map

    def _fault(self, reason: str) -> IntegrityFault:
        return IntegrityFault(self._what, f"{reason} (offset {self._offset} of the archive)")
