"""Use case: make a valid .upd of a root file system, verified before it gets its name."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import PurePath

from gprov.apps.host.image.compress import PRESET, compress
from gprov.apps.host.image.source import pack_folder, plain_archive
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, IntegrityFault, RefusedByPolicy
from gprov.domain.formats.image.tar_walk import Span, TarSummary, TarWalker
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.imgmeta import ImageMeta, parse_imgmeta, serialise_imgmeta
from gprov.domain.image.name import ImageName
from gprov.domain.image.wanted_members import wanted_members
from gprov.domain.plan.preconditions import image_problems
from gprov.ports.archive import Archives
from gprov.ports.process import Processes

_CHUNK = 1 << 20

# one line about what begins now
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RootFolder:
    path: str


@dataclass(frozen=True, slots=True)
class RootArchive:
    """A tar archive, plain or compressed with xz, gzip or zstd."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """``meta``: what imgmeta.json says, besides the image's name. ``preset``: of xz, 0 (fast) to 9 (small)."""

    source: RootFolder | RootArchive
    name: ImageName
    output: str
    meta: ImageMeta
    preset: int = PRESET


class ImageMaker:
    def __init__(self, processes: Processes, archives: Archives, branding: Branding) -> None:
        self._processes = processes
        self._archives = archives
        self._branding = branding
        self._wanted = wanted_members(branding)

    def create(self, request: ImageRequest, report: Report) -> VerifiedImage:
        """Write the image into the folder ``output``, replacing one of its name.

        Raises BadInput if it could not be restored from (no kernel, no systemd, no admin account), IntegrityFault,
        ToolFailed, DeviceFault; nothing is left behind then.
        """
        if not os.path.isdir(request.output):
            raise DeviceMissing(request.output, "is not a folder")
        if isinstance(request.source, RootFolder) and _is_inside(request.output, request.source.path):
            raise RefusedByPolicy(f"{request.output} lies in {request.source.path}: the image would hold itself")
        try:
            with tempfile.TemporaryDirectory(prefix=".image-", dir=request.output) as work:
                return self._create(request, work, report)
        except OSError as exc:
            raise DeviceFault(str(exc.filename or request.output), str(exc.strerror), errno=exc.errno) from exc

    def _create(self, request: ImageRequest, work: str, report: Report) -> VerifiedImage:
        metadata = self._metadata(request)
        archive = self._archive(request.source, f"{work}/plain.tar", report)
        walker, summary = self._walk(request.source.path, archive)
        self._require_bootable(request.source.path, _unverified(request.source.path, summary))
        partial = f"{work}/{request.name.filename}"
        replaced = [span for span in walker.spans if span.name == self._wanted.imgmeta]
        report(f"compressing {summary.entries} members, {summary.unpacked >> 20} MiB")
        compress(_joined(self._member(metadata, request), archive, replaced), partial, self._processes, request.preset)
        report("verifying")
        image = self._archives.verify(partial, lambda _done, _total: None)
        self._require_bootable(partial, image)
        if image.files.imgmeta != metadata or image.entries != summary.entries + 1 - len(replaced):
            raise IntegrityFault(request.source.path, "holds a link in place of the image's metadata")
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

    def _walk(self, what: str, archive: str) -> tuple[TarWalker, TarSummary]:
        walker = TarWalker(what, self._wanted)
        with open(archive, "rb") as file:
            while chunk := file.read(_CHUNK):
                walker.feed(chunk)
        return walker, walker.finish()

    def _require_bootable(self, what: str, image: VerifiedImage) -> None:
        problems = image_problems(image, self._branding)
        if problems:
            raise BadInput(what, problems)

    def _metadata(self, request: ImageRequest) -> bytes:
        content = serialise_imgmeta(replace(request.meta, img_name=request.name.filename))
        parse_imgmeta(request.name.filename, content)
        return content

    def _member(self, content: bytes, request: ImageRequest) -> bytes:
        """imgmeta.json as a tar member, as of the image's date."""
        info = tarfile.TarInfo(self._wanted.imgmeta.decode())
        info.size = len(content)
        info.mtime = int(datetime.combine(request.name.date, time(), UTC).timestamp())
        return info.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _joined(first: bytes, archive: str, left_out: list[Span]) -> Iterator[bytes]:
    """``first``, then the archive without some of its members."""
    yield first
    with open(archive, "rb") as file:
        for span in left_out:
            yield from _bytes(file, span.start - file.tell())
            file.seek(span.end)
        yield from _bytes(file, os.fstat(file.fileno()).st_size - file.tell())


def _bytes(file: io.BufferedReader, size: int) -> Iterator[bytes]:
    while size:
        chunk = file.read(min(_CHUNK, size))
        if not chunk:
            raise IntegrityFault(file.name, "became shorter while it was read")
        size -= len(chunk)
        yield chunk


def _unverified(path: str, summary: TarSummary) -> VerifiedImage:
    """As an image, for those who look into its files."""
    return VerifiedImage(
        path=path,
        size=0,
        unpacked=summary.unpacked,
        content_bytes=summary.content_bytes,
        entries=summary.entries,
        digest="",
        files=summary.files,
    )


def _is_inside(path: str, folder: str) -> bool:
    return PurePath(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _flush_folder(path: str) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
