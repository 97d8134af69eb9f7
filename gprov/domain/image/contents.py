"""What verification of an image learned about its content, before anything is written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Needs
from gprov.domain.formats.image.tar_summary import TarSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedImage:
    """An image whose every byte was checked. ``size``: bytes of the file; ``unpacked``: bytes of the tar archive;
    ``content_bytes``: sum of the sizes of regular files, holes included; ``entries``: members; ``digest``: SHA-256 of
    the file as read, lower-case hex; ``needs``: of the file system it is unpacked onto; ``notes``: what is left out or
    changed then, a line each."""

    path: str
    size: int
    unpacked: int
    content_bytes: int
    entries: int
    digest: str
    files: CapturedFiles = field(default_factory=CapturedFiles)
    needs: Needs = field(default_factory=Needs)
    notes: tuple[str, ...] = ()


def verified_image(path: str, size: int, digest: str, summary: TarSummary) -> VerifiedImage:
    """The image at ``path`` whose archive was walked through."""
    return VerifiedImage(
        path=path,
        size=size,
        unpacked=summary.unpacked,
        content_bytes=summary.content_bytes,
        entries=summary.entries,
        digest=digest,
        files=summary.files,
        needs=summary.needs,
        notes=summary.notes,
    )
