"""Results of verification about the content of an image."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Needs
from gprov.domain.formats.image.tar_summary import TarSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedImage:
    """An image that passed verification. ``size``: bytes of the file; ``unpacked``: bytes of the tar archive;
    ``content_bytes``: sum of the sizes of regular files, holes included; ``entries``: number of members; ``digest``:
    SHA-256 of the file as read, lower-case hex; ``needs``: space needed on the target file system; ``has_acls``:
    may a member have an access control list? ``notes``: content that unpacking leaves out or changes, one line each."""

    path: str
    size: int
    unpacked: int
    content_bytes: int
    entries: int
    digest: str
    files: CapturedFiles = field(default_factory=CapturedFiles)
    needs: Needs = field(default_factory=Needs)
    has_acls: bool = True
    notes: tuple[str, ...] = ()


def verified_image(path: str, size: int, digest: str, summary: TarSummary) -> VerifiedImage:
    """Combine properties of the file at ``path`` with the summary of its archive."""
    return VerifiedImage(
        path=path,
        size=size,
        unpacked=summary.unpacked,
        content_bytes=summary.content_bytes,
        entries=summary.entries,
        digest=digest,
        files=summary.files,
        needs=summary.needs,
        has_acls=summary.has_acls,
        notes=summary.notes,
    )
