"""Paths of archive members, and detection of members that GNU tar would refuse to write.

tar reports these errors after the disk has been wiped; verification must detect them before.

Names may begin with ``/`` or ``./``: tar strips both, so that ``/etc/passwd`` is ``etc/passwd`` below the target.
Rejected are: ``..`` components; members below a symbolic link that leads out of the target (tar writes such links as
placeholders until all else is unpacked), below a link to nothing, or below a file; a member that replaces a folder and
is not one, or that replaces a link leading out and is not the same link; hard links to members that are not earlier in
the archive; and names that no file system accepts.
"""

from __future__ import annotations

from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.printable import printable_name

HARD_LINK, SYMLINK, FOLDER = b"1", b"2", b"5"
MAX_NAMES = 65000  # of one file: EXT4_LINK_MAX
_MAX_PATH = 4095  # bytes; PATH_MAX of Linux less the closing NUL
_MAX_NAME = 255  # of one component
_MAX_LINKS = 40  # that Linux follows for one path
_MAX_DEPTH = 128  # folders in one another
# Memory for places, in bytes. Each member of an archive adds to it as much as it uncommonly needs; what one place needs
# besides its own bytes is estimated.
_PLACES, _PER_MEMBER, _PER_PLACE = 64 << 20, 1024, 256
# What all places may need, however many members there are: some 800,000 with names of 60 bytes.
_ALL_PLACES = 256 << 20


class MemberPaths:
    """The members so far by *place*: the normalised name with symbolic links in its folders resolved.

    ``folders``: each with the bytes of its entries, "" being the target; ``inodes``: of all members and of the folders
    that they imply. Replaced members are counted too, except folders.
    """

    def __init__(self) -> None:
        self.folders: dict[bytes, int] = {b"": 0}
        self.inodes = 0
        self._room = _PLACES
        self._used = 0
        self._links = HardLinks()
        self._kinds: dict[bytes, bytes] = {}
        self._symlinks: dict[bytes, bytes] = {}
        self._parents: set[bytes] = set()  # folders with members in them
        self._folder = b""  # of the last member, as named
        self._real = b""  # the same folder, resolved
        self._last = b""  # place of the last member
        self._replaced = b""  # target of the symbolic link that the last member, another one, took the place of

    @property
    def last(self) -> bytes:
        """Place of the last member."""
        return self._last

    def add(self, name: bytes, kind: bytes) -> bytes:
        """Add a member about to be written; returns its normalised name, "" for the target itself."""
        clean = normalise(name)
        self._room += _PER_MEMBER
        slash = clean.rfind(b"/")
        folder = clean[:slash] if slash > 0 else b""
        if folder != self._folder:
            self._real = self._parent(clean, folder)
            self._folder = folder
        place = clean if self._real == folder else self._below(clean[slash + 1 :])
        # An empty one too: tar sets its mode and times in the end, on whatever is there then.
        if kind != FOLDER and (not place or place in self._parents or self._kinds.get(place) == FOLDER):
            raise Malformed(f"{printable_name(name)} would replace a folder, and is none")
        self._count(place, self._real, kind)
        self._kinds[place] = kind
        self._last = place
        self._replaced = self._symlinks.pop(place, b"") if self._symlinks else b""
        if self._replaced:
            self._replace_link(clean, kind)
        return clean

    def add_symlink(self, target: bytes) -> None:
        """Store the target of the last member."""
        _check_link(self._last, target)
        if target != self._replaced and _escapes_target(self._replaced):
            raise _replaces_link(self._last, self._replaced)
        self._use_room(len(target))
        if not _escapes_target(target):  # it may be followed: for each member, and with each of its components
            target = b"/".join(part for part in target.split(b"/") if part not in (b"", b".")) or b"."
        self._symlinks[self._last] = target

    def check_hard_link(self, name: bytes, target: bytes) -> bytes:
        """Return the place of ``target`` if the last member can be a hard link to it. Raises Malformed."""
        _check_link(name, target)
        clean = normalise(target)
        folder, _, base = clean.rpartition(b"/")
        real = self._resolved(clean, folder)
        place = real + b"/" + base if real else base
        kind = self._kinds.get(place)
        if kind is None or place == self._last:
            raise Malformed(
                f"hard link {printable_name(name)} to {printable_name(target)}, which is not in the archive before it"
            )
        if kind == FOLDER:
            raise Malformed(f"hard link {printable_name(name)} to {printable_name(target)}, which is a folder")
        if kind == SYMLINK:
            self._kinds[self._last], self._symlinks[self._last] = kind, self._symlinks[place]
        self._links.add(self._last, place, name)
        return place

    def _count(self, place: bytes, folder: bytes, kind: bytes) -> None:
        """Count a member that is written at ``place`` in ``folder``."""
        if place in self.folders:
            return  # was counted, be it only because something is in it
        if place not in self._kinds:
            self._use_room(len(place) + _PER_PLACE)
            self.folders[folder] += 8 + ((len(place) - len(folder) + 3) & ~3)
        elif self._links:
            self._links.discard(place)
        if kind != HARD_LINK:
            self.inodes += 1
        if kind == FOLDER:
            self.folders[place] = 0

    def _use_room(self, size: int) -> None:
        self._room -= size
        self._used += size
        if self._room < 0 or self._used > _ALL_PLACES:
            raise Malformed("the names of the members take more memory than those of any root file system")

    def _replace_link(self, name: bytes, kind: bytes) -> None:
        """The last member replaces a symbolic link.

        tar restores its placeholders at the end. It identifies them by inode number, which a later member may have been
        given: then that member is lost, or tar fails if it is a folder.
        """
        if kind != SYMLINK and _escapes_target(self._replaced):
            raise _replaces_link(name, self._replaced)
        self._folder = self._real = b""  # the way to the next member may have led through it

    def _below(self, base: bytes) -> bytes:
        return self._real + b"/" + base if self._real else base

    def _parent(self, name: bytes, folder: bytes) -> bytes:
        """Resolve ``folder`` and record that it has members."""
        if folder in self._parents:
            return folder
        real = parent = self._resolved(name, folder)
        new = []
        while parent and parent not in self._parents:
            self._parents.add(parent)
            new.append(parent)
            parent = parent[: max(parent.rfind(b"/"), 0)]
        for parent in reversed(new):
            self._count(parent, parent[: max(parent.rfind(b"/"), 0)], FOLDER)
        return real

    def _resolved(self, name: bytes, folder: bytes) -> bytes:
        """``folder`` with symbolic links followed, as tar resolves it for the member ``name``."""
        ahead = [(part, b"") for part in reversed(folder.split(b"/"))]
        real, links, depth = b"", 0, 0
        while ahead:
            part, link = ahead.pop()
            if part in (b"", b"."):
                continue
            place = real + b"/" + part if real else part
            kind = self._kinds.get(place)
            if kind == SYMLINK:
                links += 1
                target = self._followed(name, place, links)
                ahead += [(part, place) for part in reversed(target.split(b"/"))]
                continue
            if kind not in (None, FOLDER):
                raise Malformed(f"{printable_name(name)} is below {printable_name(place)}, which is no folder")
            if link and kind is None and place not in self._parents:
                raise Malformed(f"{_through_link(name, link)} to nothing")
            real = place
            depth += 1
            if depth > _MAX_DEPTH:
                raise Malformed(f"{printable_name(name)} is below more than {_MAX_DEPTH} folders")
        return real

    def _followed(self, name: bytes, link: bytes, count: int) -> bytes:
        """Target of a link in a member's path."""
        target = self._symlinks[link]
        if _escapes_target(target) or count > _MAX_LINKS:
            raise Malformed(f"{_through_link(name, link)} to {printable_name(target)}")
        return target


class HardLinks:
    """Number of names of each file that has several."""

    def __init__(self) -> None:
        self._files: dict[bytes, int] = {}  # place → number of its file
        self._names: list[int] = []  # of each file

    def __bool__(self) -> bool:
        return bool(self._files)

    def add(self, place: bytes, target: bytes, name: bytes) -> None:
        """Add ``place`` as another name of the file at ``target``. Raises Malformed if it has too many."""
        file = self._files.get(target)
        if file is None:
            file = self._files[target] = len(self._names)
            self._names.append(1)
        self._files[place] = file
        self._names[file] += 1
        if self._names[file] > MAX_NAMES:
            raise Malformed(f"hard link {printable_name(name)}: the file has more than {MAX_NAMES} names")

    def discard(self, place: bytes) -> None:
        """The member at ``place`` is replaced."""
        file = self._files.pop(place, None)
        if file is not None:
            self._names[file] -= 1


def normalise(name: bytes) -> bytes:
    """Remove leading ``/`` and ``./``, and doubled or trailing ``/``. Raises Malformed for names that leave the target
    or are too long."""
    if name[:2] == b"./":
        name = name[2:]
    if name[-1:] == b"/":
        name = name[:-1]
    if len(name) > _MAX_NAME and (len(name) > _MAX_PATH or max(map(len, name.split(b"/"))) > _MAX_NAME):
        raise Malformed(f"{printable_name(name)} is longer than a file system allows")
    if name[:1] in (b"/", b".") or b"/." in name or b"//" in name:
        parts = name.split(b"/")
        if b".." in parts:
            raise Malformed(f"{printable_name(name)} would leave the target")
        name = b"/".join(part for part in parts if part not in (b"", b"."))
    return name


def _check_link(name: bytes, target: bytes) -> None:
    if not target:
        raise Malformed(f"link {printable_name(name)} has no target")
    if b"\0" in target:
        raise Malformed(f"the target of the link {printable_name(name)} holds a null byte")
    if len(target) > _MAX_PATH:
        raise Malformed(f"the target of the link {printable_name(name)} is longer than a file system allows")


def _through_link(name: bytes, link: bytes) -> str:
    return f"{printable_name(name)} would be written through the symbolic link {printable_name(link)}"


def _replaces_link(name: bytes, target: bytes) -> Malformed:
    return Malformed(f"{printable_name(name)} would replace a symbolic link to {printable_name(target)}")


def _escapes_target(target: bytes) -> bool:
    """Whether GNU tar treats the target as leading out: absolute, or with a ``..`` component."""
    return target.startswith(b"/") or b".." in target.split(b"/")
