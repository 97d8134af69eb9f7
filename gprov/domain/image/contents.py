"""What verification of an image learned about its content, before anything is written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.formats.image.captured import CapturedFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedImage:
    """An image whose every byte was checked. ``size``: bytes of the file; ``unpacked``: bytes of the tar archive;
    ``content_bytes``: sum of the sizes of regular files; ``entries``: members; ``digest``: SHA-256 of the file as read,
    lower-case hex."""

    path: str
    size: int
    unpacked: int
    content_bytes: int
    entries: int
    digest: str
    files: CapturedFiles = field(default_factory=CapturedFiles)
