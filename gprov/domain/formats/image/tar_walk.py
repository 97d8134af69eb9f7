"""Checks a tar archive as a stream: all headers are checked, data skipped, a few members captured.

Supports ustar, GNU and pax archives, also concatenated (as ``tar -i``), and rejects members on which GNU tar would
fail. Written for speed: a restore checks some ten thousand members on slow processors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gprov.domain.formats.image.capture import Capture, CapturedNames
from gprov.domain.formats.image.tar_blocks import TarBlocks, padded
from gprov.domain.formats.image.tar_demands import Demands
from gprov.domain.formats.image.tar_devices import Devices
from gprov.domain.formats.image.tar_extensions import Extensions
from gprov.domain.formats.image.tar_fields import (
    BLOCK,
    ZERO_BLOCK,
    Malformed,
    check_numbers,
    checksum_matches,
    header_time,
    member_name,
    number,
    text,
)
from gprov.domain.formats.image.tar_names import FOLDER, HARD_LINK, SYMLINK, MemberPaths
from gprov.domain.formats.image.tar_sparse import (
    MAX_FILE,
    MapReader,
    OldGnuMap,
    PaxDataMap,
    Region,
    blocks_of,
    pax_sparse,
)
from gprov.domain.formats.image.tar_summary import Span, TarSummary
from gprov.domain.formats.image.tar_totals import Totals
from gprov.domain.formats.printable import printable_name

_MAX_EXTENSION = 16 << 20  # of one extended header; extended attributes are at most 64 KiB each
_MAX_PADDING = 16 << 20  # zeros behind an archive: tar fills up its last record, of 10 KiB or as --record-size says
_REGULAR = b"0\x007S"
_MAY_BE_PAX_SPARSE = b"0\x007"
_SPARSE = b"S"
_DUMPED_FOLDER = b"D"  # of an incremental archive: its data are a list of names
_WITHOUT_DATA = b"23456"  # symlink, character and block device, folder, pipe
_GNU_MAGIC, _POSIX_MAGIC = b"ustar  \0", b"ustar\x00"


class TarWalker:
    """Call ``feed`` with chunks of any size, then ``finish``. Raises IntegrityFault with archive and offset.

    ``captured_names``: the members to capture; ``spans``: positions of the members that concern a restore.
    """

    def __init__(self, source: str, captured_names: CapturedNames) -> None:
        self._capture = Capture(captured_names)
        self._paths = MemberPaths()
        self._blocks = TarBlocks(source, self._block)
        self._extensions = Extensions()
        self._map: MapReader | None = None  # of a sparse file, being read
        self._after_map = 0  # bytes of data, if the map stands before them
        self._ended = False
        self._zeros = 0  # bytes behind the end mark
        self._demands = Demands()
        self._devices = Devices()
        self._totals = Totals()
        self.spans: list[Span] = []

    def feed(self, data: bytes) -> None:
        """The next bytes of the archive."""
        self._blocks.feed(data)

    def finish(self) -> TarSummary:
        """Check the end of the archive. Raises IntegrityFault if it is truncated, also between two members."""
        self._blocks.finish()
        if self._map is not None or self._extensions.pending:
            raise self._blocks.fault("the archive is cut: an extended header is not followed by its member")
        if not self._ended:
            raise self._blocks.fault("the archive is cut: its end mark (a block of zeros) is missing")
        if not self._totals.members:
            raise self._blocks.fault("the archive holds no members")
        files = self._capture.result()
        try:
            self._demands.check_names(files)
        except Malformed as exc:
            raise self._blocks.fault(str(exc)) from exc
        return TarSummary(
            unpacked=self._blocks.offset,
            content_bytes=self._totals.content_bytes,
            entries=self._totals.members,
            files=files,
            needs=self._demands.needs(self._paths),
            has_acls=self._demands.has_acls,
            notes=self._demands.notes,
        )

    def _block(self, block: bytes) -> None:
        if block[0] == 0 and block == ZERO_BLOCK and self._map is None:
            self._zero_block()
        elif self._map is None:
            self._header(block)
        else:
            self._sparse_map(self._map, block)

    def _zero_block(self) -> None:
        if self._extensions.pending:
            raise Malformed("an extended header is followed by the end of the archive")
        self._zeros += BLOCK
        if self._zeros > _MAX_PADDING:
            raise Malformed(f"more than {_MAX_PADDING} bytes of zeros follow the archive")
        self._ended = True

    def _header(self, header: bytes) -> None:
        if not checksum_matches(header):
            raise Malformed("this is no tar header: its checksum does not match")
        self._ended = False
        self._zeros = 0
        kind = header[156:157]
        if kind in _REGULAR or kind in _WITHOUT_DATA or kind in (HARD_LINK, _DUMPED_FOLDER):
            self._member(header, kind)
        elif kind in self._extensions.takers:
            self._extension(header, self._extensions.takers[kind])
        else:  # also the label of a volume (V): tar gives it the pending extended headers and skips its data
            member = printable_name(text(header[:100]))
            raise Malformed(f"member {member} has the type {printable_name(kind)}, which no image can hold")

    def _member(self, header: bytes, kind: bytes) -> None:
        extensions = self._extensions
        size = check_numbers(header)
        name = member_name(header)
        start = self._blocks.offset
        if extensions.start is not None:
            name, size, start = extensions.name or name, extensions.size(size), extensions.start
        if b"\0" in name:
            raise Malformed(f"the name {printable_name(name)} holds a null byte")
        if kind == _DUMPED_FOLDER or (name[-1:] == b"/" and kind in _REGULAR and kind != _SPARSE):
            kind = FOLDER  # so old archives write it
        if extensions.pax and (kind == FOLDER or header[156:157] not in _MAY_BE_PAX_SPARSE):
            _refuse_sparse_keys(extensions.pax, name)
        clean = self._paths.add(name, kind)
        self._totals.add_member()
        self._capture.begin_member(self._paths.last, kind == FOLDER)
        self._devices.replace(self._paths.last)
        if kind in _REGULAR:
            self._regular(header, kind, clean, size, start)
        elif header[156:157] == _DUMPED_FOLDER:
            self._blocks.skip = padded(size)
        else:
            self._without_data(header, kind, clean, size)
        if header[136] & 0x80 or extensions.pax:
            self._demands.time(extensions.time(header_time(header)), clean)
        if extensions.start is not None:
            if extensions.pax:
                self._demands.attributes(extensions.pairs, kind, clean, self._paths.last)
            extensions.clear()

    def _regular(self, header: bytes, kind: bytes, name: bytes, size: int, start: int) -> None:
        sparse = self._sparse(header, kind, size)
        if sparse is None:
            if size > MAX_FILE:
                raise Malformed(f"{printable_name(name)} has {size} bytes, more than a file can have")
            self._totals.add_content(size)
            self._demands.usage.file(size)
        skip = padded(size)
        if self._map is not None:
            self._after_map = skip
        else:
            self._blocks.skip = skip
            if sparse is not None:
                self._sparse_regions(sparse)
        if self._capture.needs_member(self._paths.last):
            self._capture_file(self._paths.last, size, start, skip, sparse=sparse is not None)

    def _sparse(self, header: bytes, kind: bytes, size: int) -> list[Region] | None:
        """Regions of a sparse file, or [] if its map follows (``_map`` is set to read it). None: not sparse."""
        if kind == _SPARSE:
            if header[257:265] != _GNU_MAGIC:
                raise Malformed("sparse file: its header is not GNU's")
            old = OldGnuMap(header, size)
            if old.complete:
                return old.regions()
            self._map = old
            return []
        found = pax_sparse(self._extensions.pairs, size) if self._extensions.pax else None
        if found is not None and header[257:263] != _POSIX_MAGIC:
            raise Malformed("sparse file: its header is not of the pax format")
        if isinstance(found, PaxDataMap):
            self._map = found
            return []
        return found

    def _sparse_regions(self, regions: list[Region]) -> None:
        """Count the complete map of the last member."""
        self._totals.add_content(sum(regions[-1]))
        self._demands.usage.sparse(len(regions), blocks_of(regions))

    def _capture_file(self, place: bytes, size: int, start: int, skip: int, *, sparse: bool) -> None:
        """Capture a file for the restore plan. Sparse files are rejected: their stored data differ from their
        content."""
        self.spans.append(Span(place, start, self._blocks.offset + BLOCK + skip))
        captured_size = self._capture.add_file(place, size, self._blocks.offset)
        if captured_size and sparse:
            raise Malformed(f"{printable_name(place)} is stored as a sparse file; store it whole")
        if captured_size:
            self._blocks.collect(captured_size, lambda content: self._capture.store_content(place, content))

    def _without_data(self, header: bytes, kind: bytes, name: bytes, size: int) -> None:
        if size and kind != HARD_LINK:
            raise Malformed(f"{printable_name(name)} is of a type without data, yet has {size} bytes")
        place = self._paths.last
        concerned = self._capture.needs_member(place)
        owner = self._extensions.owner(number(header[108:116]))
        self._devices.add(header, kind, place, owner, self._extensions.pax)
        if kind in (HARD_LINK, SYMLINK):
            target = self._extensions.link or text(header[157:257])
            if kind == SYMLINK:
                self._paths.add_symlink(target)
                self._demands.usage.symlink(target)
                if concerned:
                    self._capture.add_symlink(place, target)
                return
            target = self._paths.check_hard_link(name, target)
            self._devices.add_hard_link(place, target)
            if concerned:
                self._capture.add_hard_link(place, target)

    def _extension(self, header: bytes, then: Callable[[bytes], None]) -> None:
        size = number(header[124:136])
        if not 0 < size <= _MAX_EXTENSION:
            raise Malformed(f"an extended header has {size} bytes")
        self._extensions.begin(self._blocks.offset, header[156:157])
        self._blocks.skip = padded(size)
        self._blocks.collect(size, then)

    def _sparse_map(self, reader: MapReader, block: bytes) -> None:
        """Read a block of a map that is stored before the data; in format 1.0 it belongs to the data itself."""
        if isinstance(reader, PaxDataMap):
            self._after_map -= BLOCK
        if reader.take(block):
            self._map = None
            self._sparse_regions(reader.regions())
            self._blocks.skip = self._after_map


def _refuse_sparse_keys(keys: Iterable[bytes], name: bytes) -> None:
    """Of a member that is not a regular file: tar would read a map from its data, or use the name and the size in
    them."""
    if any(key.startswith(b"GNU.sparse.") for key in keys):
        raise Malformed(f"{printable_name(name)} has keywords of a sparse file (GNU.sparse), and is no regular file")
