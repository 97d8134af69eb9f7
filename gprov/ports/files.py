"""Files on mounted volumes. Paths are absolute. Everything that replaces a file does so atomically."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.files import Digests, FileStatus, Usage
from gprov.domain.formats.owner import ROOT, Owner


class Files(Protocol):
    """All methods raise DeviceMissing if a path that must exist does not, DeviceFault for everything else."""

    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        """Whole content. A file larger than ``limit`` bytes raises DeviceFault."""

    def read_start(self, path: str, size: int) -> bytes:
        """The first ``size`` bytes, or fewer if the file is shorter."""

    def digests(self, path: str) -> Digests:
        """Hashes of the content, read from the medium and not from the cache."""

    def status(self, path: str) -> FileStatus | None:
        """Of the path itself (links are not followed); None if there is nothing."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Sorted names in a folder."""

    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        """Durable atomic write: beside, flushed, permissions set before content, renamed, folder flushed.
        Missing parent folders are made (0755). When it returns, the new content survives a power cut."""

    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        """As ``replace``, with the content of another file, streamed."""

    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        """Make it with its parents if missing; set mode and owner in any case, of the folder that a link leads to."""

    def symlink(self, target: str, path: str) -> None:
        """Make ``path`` a symbolic link with the text ``target``, atomically replacing what is there."""

    def rename(self, source: str, target: str) -> None:
        """Within one volume; atomic, both folders flushed."""

    def remove(self, path: str) -> None:
        """A file, link or whole folder, durably. No error if it is not there."""

    def usage(self, path: str) -> Usage:
        """Of the volume that holds ``path``."""

    def sync(self, path: str) -> None:
        """Flush the whole volume that holds ``path`` to stable storage: what was written is found there even by who
        replays no journal."""
