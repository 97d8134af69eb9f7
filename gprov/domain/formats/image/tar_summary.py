"""Results of reading a tar archive to its end."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class TarSummary:
    """``unpacked``: bytes of the archive; ``content_bytes``: sum of the sizes of regular files, holes included;
    ``has_acls``: does a member have an access control list? ``notes``: content that unpacking leaves out or changes,
    one line each."""

    unpacked: int
    content_bytes: int
    entries: int
    files: CapturedFiles
    needs: Needs
    has_acls: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Position of a member (with its extended headers and padding) in the archive: offsets in bytes."""

    name: bytes
    start: int
    end: int
