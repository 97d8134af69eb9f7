"""What verification of an image learned about its content, before anything is written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CapturedFiles:
    """Content of the few members that a restore plan needs, captured while the archive was read.

    A member that is not there is None. Later members of the same name win, as they do when unpacked.
    """

    passwd: bytes | None = field(default=None, repr=False)
    group: bytes | None = field(default=None, repr=False)
    shadow: bytes | None = field(default=None, repr=False)
    fstab: bytes | None = field(default=None, repr=False)
    imgmeta: bytes | None = None
    kernel_start: bytes | None = field(default=None, repr=False)  # first 64 KiB of /boot/norm_boot
    has_init: bool = False


@dataclass(frozen=True, slots=True)
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
