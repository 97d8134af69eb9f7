"""Use case: make an image (.upd) of a root file system, verified before it gets its final name."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import chain
from pathlib import PurePath
from typing import BinaryIO

from gprov.apps.host.image.compress import PRESET, compress
from gprov.apps.host.image.source import pack_folder, plain_archive
from gprov.apps.host.image.update_needs import require_update_needs
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import smallest_disk
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, IntegrityFault, RefusedByPolicy
from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tar_summary import Span, TarSummary
from gprov.domain.formats.image.tar_tidy import Tidier
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage, verified_image
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.imgmeta import ImageMeta, parse_imgmeta, serialise_imgmeta
from gprov.domain.image.modules import module_notes
from gprov.domain.image.name import ImageName
from gprov.domain.plan.preconditions import problems_of_own_image
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.process import Processes

# one line about what begins now
Report = Callable[[str], None]
# shows how far a named part of the work is, in bytes, until it has ended
Progress = Callable[[str], AbstractContextManager[ProgressReport]]


@dataclass(frozen=True, slots=True)
class RootFolder:
    path: str


@dataclass(frozen=True, slots=True)
class RootArchive:
    """A tar archive, plain or compressed with xz, gzip or zstd."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """``meta``: fields of imgmeta.json, without the image's name. ``preset``: of xz, 0 (fast) to 9 (small). ``more``: a
    plain tar archive whose members replace those of the source. ``updates``: gprov-update is among them, and the source
    must have what it needs."""

    source: RootFolder | RootArchive
    name: ImageName
    output: str
    meta: ImageMeta
    preset: int = PRESET
    more: bytes = b""
    updates: bool = False


class ImageMaker:
    def __init__(self, processes: Processes, archives: Archives, branding: Branding) -> None:
        self._processes = processes
        self._archives = archives
        self._branding = branding
        self._wanted = captured_names(branding)

    def create(self, request: ImageRequest, report: Report, progress: Progress | None = None) -> VerifiedImage:
        """Write the image into the folder ``output``, replacing an image of this name.

        Raises BadInput for a root that cannot be restored (no kernel, systemd or admin account), IntegrityFault,
        ToolFailed, DeviceFault; then no files are left.
        """
        if not os.path.isdir(request.output):
            raise DeviceMissing(request.output, "no such folder")
        if isinstance(request.source, RootFolder) and _is_inside(request.output, request.source.path):
            raise RefusedByPolicy(
                f"output folder {request.output} is inside the source folder {request.source.path}; choose another"
            )
        try:
            with tempfile.TemporaryDirectory(prefix=".image-", dir=request.output) as work:
                return self._create(request, work, report, progress or _no_progress)
        except OSError as exc:
            raise DeviceFault(str(exc.filename or request.output), str(exc.strerror), errno=exc.errno) from exc

    def _create(self, request: ImageRequest, work: str, report: Report, progress: Progress) -> VerifiedImage:
        metadata = self._metadata(request)
        archive = _Archive.of(self._archive(request.source, f"{work}/plain.tar", report), request.more)
        if request.updates:
            require_update_needs(request.source.path, archive.members)
        tidier = Tidier()
        for _ in _tidied(request.source.path, archive, tidier):
            pass  # the accounts of the image: the next time they are known from the start
        walker, summary = self._walk(request.source.path, _tidied(request.source.path, archive, tidier))
        self._require_bootable(request.source.path, _unverified(request.source.path, summary))
        partial = f"{work}/{request.name.filename}"
        replaced = [span for span in walker.spans if span.name == self._wanted.imgmeta]
        for line in tidier.left_out:
            report(line)
        report(f"compressing {summary.entries} members, {summary.unpacked >> 20} MiB")
        pieces = _without(_tidied(request.source.path, archive, tidier), replaced)
        data = chain([self._member(metadata, request)], pieces)
        with progress("compressing") as done:
            compress(_counted(data, archive.total, done), partial, self._processes, request.preset)
        report("verifying")
        with progress("verifying") as done:
            image = self._archives.verify(partial, done, MAX_ARCHIVE)
        self._require_bootable(partial, image)
        if image.files.imgmeta != metadata or image.entries != summary.entries + 1 - len(replaced):
            raise IntegrityFault(request.source.path, "holds a link in place of the image's metadata")
        for note in (*image.notes, *module_notes(image)):
            report(note)
        needs, disk = image.needs, smallest_disk(image.needs)
        report(f"needs {needs.allocated >> 20} MiB and {needs.inodes} inodes: a data disk of {disk >> 20} MiB or more")
        final = f"{request.output}/{request.name.filename}"
        os.replace(partial, final)
        _flush_folder(request.output)
        return replace(image, path=final)

    def _archive(self, source: RootFolder | RootArchive, target: str, report: Report) -> str:
        report(f"reading {source.path}")
        match source:
            case RootFolder(path):
                return pack_folder(path, target, self._processes)
            case RootArchive(path):
                return plain_archive(path, target, self._processes)

    def _walk(self, what: str, pieces: Iterable[bytes]) -> tuple[TarWalker, TarSummary]:
        walker = TarWalker(what, self._wanted)
        for piece in pieces:
            walker.feed(piece)
        return walker, walker.finish()

    def _require_bootable(self, source: str, image: VerifiedImage) -> None:
        problems = problems_of_own_image(image, self._branding)
        if problems:
            raise BadInput(source, problems)

    def _metadata(self, request: ImageRequest) -> bytes:
        content = serialise_imgmeta(replace(request.meta, img_name=request.name.filename))
        parse_imgmeta(request.name.filename, content)
        return content

    def _member(self, content: bytes, request: ImageRequest) -> bytes:
        """Return imgmeta.json as a tar member with the image's date."""
        info = tarfile.TarInfo(self._wanted.imgmeta.decode())
        info.size = len(content)
        info.mtime = int(datetime.combine(request.name.date, time(), UTC).timestamp())
        return info.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


@dataclass(frozen=True)
class _Archive:
    """A plain tar archive in a file, of which ``size`` bytes count, and one that goes on behind it. ``members``: names
    of those in the file, relative to the root; only if there is another archive."""

    path: str
    size: int
    more: bytes
    members: Sequence[str] = ()

    @classmethod
    def of(cls, path: str, more: bytes) -> _Archive:
        """Both as one archive: most programs end at the first blocks of zeros."""
        if not more:
            return cls(path, os.path.getsize(path), more)
        members: list[str] = []
        return cls(path, _end_of_members(path, members), more, members)

    @property
    def total(self) -> int:
        """Bytes of both."""
        return self.size + len(self.more)

    def reader(self, file: BinaryIO) -> Callable[[int], bytes]:
        """Reads at most so many bytes of both; b"" at the end."""
        rest = io.BytesIO(self.more)
        return lambda size: file.read(min(size, self.size - file.tell())) or rest.read(size)


def _end_of_members(path: str, names: list[str]) -> int:
    """Return the position behind the last member, or of the file's end if something else than zeros is there. Adds the
    members' names to ``names``."""
    end = 0
    try:
        with tarfile.open(path, "r:", ignore_zeros=True) as archive:
            for member in archive:
                end = archive.offset
                names.append(member.name.removeprefix("./"))
    except tarfile.TarError:
        return os.path.getsize(path)  # what is wrong is said when the archive is walked
    with open(path, "rb") as file:
        file.seek(end)
        while piece := file.read(1 << 20):
            if piece.strip(b"\0"):
                return os.path.getsize(path)
    return end


def _tidied(what: str, archive: _Archive, tidier: Tidier) -> Iterator[bytes]:
    """The archive as the image will have it."""
    try:
        with open(archive.path, "rb") as file:
            yield from tidier.run(archive.reader(file))
    except Malformed as exc:
        raise IntegrityFault(what, str(exc)) from exc


def _counted(pieces: Iterable[bytes], total: int, report: ProgressReport) -> Iterator[bytes]:
    """The pieces, with a report behind each. ``total`` need not be exact: tidying changes the size a little."""
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        report(min(done, total), total)


def _no_progress(_what: str) -> AbstractContextManager[ProgressReport]:
    return nullcontext(lambda _done, _total: None)


def _without(pieces: Iterable[bytes], left_out: Sequence[Span]) -> Iterator[bytes]:
    """An archive without some of its members."""
    end = 0
    for piece in pieces:
        start, end = end, end + len(piece)
        for span in left_out:
            if start < span.end and span.start < end:
                yield piece[len(piece) - (end - start) :][: max(0, span.start - start)]
                start = min(span.end, end)
        yield piece[len(piece) - (end - start) :]


def _unverified(path: str, summary: TarSummary) -> VerifiedImage:
    """As an image, for those who look into its files."""
    return verified_image(path, 0, "", summary)


def _is_inside(path: str, folder: str) -> bool:
    return PurePath(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _flush_folder(path: str) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
