"""Keeping the few members that a restore plan needs while an archive passes by."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.bzimage import KERNEL_START
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.tar_fields import Malformed

MAX_IMGMETA_OFFSET = 1 << 20
_MAX_CONTENT = 4 << 20
_LINK_DEPTH = 8
BOOT_FOLDER = b"boot/"


@dataclass(frozen=True, slots=True)
class CapturedNames:
    """Names of the members, in normal form."""

    kernel: bytes
    imgmeta: bytes
    init: frozenset[bytes]
    small: frozenset[bytes]


class Capture:
    """What was captured so far. As when unpacking, a later member replaces an earlier one of its name.

    The start of every file directly in /boot is kept, since the kernel may be a link to any of them.
    """

    def __init__(self, names: CapturedNames) -> None:
        self._names = names
        self._exact = names.small | names.init | {names.imgmeta}
        self._contents: dict[bytes, bytes] = {}
        self._links: dict[bytes, bytes] = {}

    def needs_member(self, name: bytes) -> bool:
        """Is this member one to tell ``file``, ``link`` or ``other`` about?"""
        return name in self._exact or (name.startswith(BOOT_FOLDER) and name.rfind(b"/") == len(BOOT_FOLDER) - 1)

    def add_file(self, name: bytes, size: int, offset: int) -> int:
        """How many bytes of this regular file ``keep`` wants; ``offset`` of its header in the archive."""
        self.add_other(name)
        if name == self._names.imgmeta and offset + size > MAX_IMGMETA_OFFSET:
            return 0
        self._contents[name] = b""
        if name in self._names.init:
            return 0
        if name.startswith(BOOT_FOLDER):
            return min(size, KERNEL_START)
        if size > _MAX_CONTENT:
            raise Malformed(f"{name.decode()} has {size} bytes, more than such a file can have")
        return size

    def store_content(self, name: bytes, content: bytes) -> None:
        self._contents[name] = content

    def add_hard_link(self, name: bytes, target: bytes) -> None:
        """A hard link; ``target`` in normal form."""
        self.add_other(name)
        self._links[name] = target

    def add_symlink(self, name: bytes, target: bytes) -> None:
        """A symbolic link with the text ``target``."""
        self.add_other(name)
        folder = b"" if target.startswith(b"/") else name[: name.rfind(b"/") + 1]
        self._links[name] = _resolved(folder + target)

    def add_other(self, name: bytes) -> None:
        """Any other kind of member: an earlier one of this name is gone."""
        self._contents.pop(name, None)
        self._links.pop(name, None)

    def result(self) -> CapturedFiles:
        passwd, group, shadow, fstab = (
            self._content(name) for name in (b"etc/passwd", b"etc/group", b"etc/shadow", b"etc/fstab")
        )
        return CapturedFiles(
            passwd=passwd,
            group=group,
            shadow=shadow,
            fstab=fstab,
            imgmeta=self._content(self._names.imgmeta),
            kernel_start=self._content(self._names.kernel),
            has_init=any(name in self._contents or name in self._links for name in self._names.init),
        )

    def _content(self, name: bytes) -> bytes | None:
        for _ in range(_LINK_DEPTH):
            if name in self._contents:
                return self._contents[name]
            if name not in self._links:
                return None
            name = self._links[name]
        return None


def _resolved(path: bytes) -> bytes:
    """A path without ``.`` and ``..`` components, as if no folder in it were a link."""
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)
