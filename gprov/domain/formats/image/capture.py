"""Captures the few archive members that a restore plan needs, while the archive is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.formats.bzimage import KERNEL_START
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.tar_fields import Malformed

MAX_IMGMETA_OFFSET = 1 << 20
_MAX_CONTENT = 4 << 20
# Of all members together, replaced ones included. A file in /boot has up to KERNEL_START of them. Each member takes
# some memory besides its content.
_MAX_CAPTURED, _PER_FILE = 64 << 20, 4096
_LINK_DEPTH = 8
BOOT_FOLDER = b"boot/"
_REAL_FOLDERS = (b"etc", b"boot")
NETWORK_FOLDER = b"etc/systemd/network/"
# The index that depmod writes into the folder of a kernel's modules.
_MODULE_INDEX = re.compile(rb"(?:usr/)?lib/modules/([^/]+)/modules\.dep")
# What systemd-networkd and udev read there; drop-ins for files of other folders are not counted.
_NETWORK_FILE = re.compile(re.escape(NETWORK_FOLDER) + rb"[^/]+\.(network|netdev|link)")


@dataclass(frozen=True, slots=True)
class CapturedNames:
    """Names of the members, in normal form."""

    kernel: bytes
    imgmeta: bytes
    init: frozenset[bytes]
    small: frozenset[bytes]


class Capture:
    """Members captured so far, by the places that tar writes them to: names in normal form, with symbolic links in
    their folders resolved. As in unpacking, a later member replaces an earlier one at the same place.

    The start of every file directly in /boot is captured, since the kernel may be a link to any of them.
    """

    def __init__(self, names: CapturedNames) -> None:
        self._names = names
        self._exact = names.small | names.init | {names.imgmeta}
        self._contents: dict[bytes, bytes] = {}
        self._links: dict[bytes, bytes] = {}
        self._captured = 0  # bytes
        self._has_network = False
        self._module_releases: set[bytes] = set()

    def begin_member(self, place: bytes, folder: bool) -> None:
        """A member of any type is written at ``place``: what was captured there before is replaced. Raises Malformed
        if etc or boot is no folder: the files in it would be captured at the other end of the link."""
        if not folder and place in _REAL_FOLDERS:
            raise Malformed(f"{place.decode()} has to be a folder")
        if not folder and place.startswith(NETWORK_FOLDER):
            self._has_network = self._has_network or _NETWORK_FILE.fullmatch(place) is not None
        if place.endswith(b"/modules.dep") and not folder and (index := _MODULE_INDEX.fullmatch(place)) is not None:
            self._module_releases.add(index[1])
        self._contents.pop(place, None)
        self._links.pop(place, None)

    def needs_member(self, name: bytes) -> bool:
        """Return whether a file or link at this place must be passed to an ``add_`` method."""
        return name in self._exact or (name.startswith(BOOT_FOLDER) and name.rfind(b"/") == len(BOOT_FOLDER) - 1)

    def add_file(self, name: bytes, size: int, offset: int) -> int:
        """Add a regular file and return the number of its bytes to pass to ``store_content``. ``offset``: of its header
        in the archive."""
        if name == self._names.imgmeta and offset + size > MAX_IMGMETA_OFFSET:
            return 0
        self._contents[name] = b""
        if name in self._names.init:
            size = 0
        elif name.startswith(BOOT_FOLDER):
            size = min(size, KERNEL_START)
        elif size > _MAX_CONTENT:
            raise Malformed(f"{name.decode()} has {size} bytes, more than such a file can have")
        self._use_memory(size)
        return size

    def store_content(self, name: bytes, content: bytes) -> None:
        self._contents[name] = content

    def add_hard_link(self, name: bytes, target: bytes) -> None:
        """A hard link; ``target``: a place. It keeps the content also if another member replaces the target."""
        if target in self._contents:
            self._contents[name] = self._contents[target]
        else:  # of a file that was not captured: it exists, and its content is not at hand
            self._use_memory(0)
            self._links[name] = self._links.get(target, b"")

    def add_symlink(self, name: bytes, target: bytes) -> None:
        """A symbolic link with the text ``target``."""
        self._use_memory(len(target))
        self._links[name] = target

    def _use_memory(self, size: int) -> None:
        self._captured += size + _PER_FILE
        if self._captured > _MAX_CAPTURED:
            raise Malformed("the files in boot and those of accounts are more than a root file system has")

    def result(self) -> CapturedFiles:
        passwd, group, shadow, fstab, hosts = (
            self._content(name) for name in (b"etc/passwd", b"etc/group", b"etc/shadow", b"etc/fstab", b"etc/hosts")
        )
        return CapturedFiles(
            passwd=passwd,
            group=group,
            shadow=shadow,
            fstab=fstab,
            hosts=hosts,
            imgmeta=self._content(self._names.imgmeta),
            kernel_start=self._content(self._names.kernel),
            has_init=any(name in self._contents or name in self._links for name in self._names.init),
            has_network=self._has_network,
            module_releases=tuple(sorted(release.decode("utf-8", "replace") for release in self._module_releases)),
        )

    def _content(self, name: bytes) -> bytes | None:
        for _ in range(_LINK_DEPTH):
            if name in self._contents:
                return self._contents[name]
            if name not in self._links:
                return None
            name = _resolved(name, self._links[name])
        return None


def _resolved(link: bytes, target: bytes) -> bytes:
    """Place that the symbolic link at the place ``link`` leads to. Empty if ``..`` follows a name in ``target``: that
    name may be a link, and the parent of what it leads to is another folder."""
    parts = [] if target.startswith(b"/") else link.split(b"/")[:-1]
    down = False
    for part in target.split(b"/"):
        if part == b".." and down:
            return b""
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
            down = True
    return b"/".join(parts)
