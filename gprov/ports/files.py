"""Files on mounted volumes. Paths are absolute. All methods that replace files do it atomically."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.files import Digests, FileStatus, Usage
from gprov.domain.formats.owner import ROOT, Owner


class Files(Protocol):
    """All methods raise DeviceMissing if a required path does not exist, DeviceFault for all other errors."""

    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        """Whole content. A file larger than ``limit`` bytes raises DeviceFault."""

    def read_start(self, path: str, size: int) -> bytes:
        """The first ``size`` bytes, or fewer if the file is shorter."""

    def digests(self, path: str) -> Digests:
        """Hashes of the content, read from the medium, bypassing the cache."""

    def read_through(self, path: str) -> int:
        """Read the whole content from the medium, bypassing the cache, without keeping it; how many bytes it has."""

    def status(self, path: str) -> FileStatus | None:
        """Status of the path itself (links are not followed); None if it does not exist."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Sorted names in a folder."""

    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        """Durable atomic write: a temporary file in the same folder gets permissions, then content, is flushed and
        renamed, and the folder is flushed. Missing parent folders are created (0755). On return the content is
        durable."""

    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        """As ``replace``, with the content of another file, copied in pieces."""

    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        """Create a folder and its parents if missing. Mode and owner are set in any case; a link to a folder is
        followed."""

    def set_owner(self, path: str, owner: Owner) -> None:
        """Set the owner of an existing folder or regular file, durably; mode and contents stay. A link is not followed,
        but refused, as are special files: DeviceFault. What has this owner already is not written to. Raises
        DeviceFault on a file system without owners (FAT), if it is to be another than root."""

    def symlink(self, target: str, path: str) -> None:
        """Create the symbolic link ``path`` with the text ``target``, atomically replacing a file or link."""

    def rename(self, source: str, target: str) -> None:
        """Rename within one volume: atomic, both folders are flushed."""

    def remove(self, path: str) -> None:
        """Remove a file, link or folder with its contents, durably. No error if it does not exist."""

    def usage(self, path: str) -> Usage:
        """Usage of the volume that contains ``path``."""

    def sync(self, path: str) -> None:
        """Flush the volume that contains ``path`` to stable storage. Readers that do not replay journals (GRUB) then
        find the written files too."""
