"""Requirements of archive members on the target file system, and attributes that it cannot store."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.formats.accounts import ids_by_name
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Ext4Usage, Needs
from gprov.domain.formats.image.tar_attributes import MAX_IN_BLOCK, MAX_IN_INODE, attributes_of
from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tar_names import FOLDER, MemberPaths
from gprov.domain.formats.printable import printable_name

# Inodes of 256 bytes: 32 bits of seconds, signed, and two bits more (ext4.rst, "Inode Timestamps").
EARLIEST, LATEST = -(1 << 31), (1 << 34) - (1 << 31) - 1
_MAX_NOTES = 20
_MAX_NAMES = 1 << 16

Pairs = Iterable[tuple[bytes, bytes]]


class Demands:
    """``usage``: blocks; ``has_acls``: does a member have an access control list? Raises Malformed for attributes that
    ext4 rejects."""

    def __init__(self) -> None:
        self.usage = Ext4Usage()
        self.has_acls = False
        self._users: dict[bytes, bytes] = {}  # name in an access control list → the first member that has it
        self._groups: dict[bytes, bytes] = {}
        self._in_folders: dict[bytes, int] = {}  # bytes of attributes
        self._notes: dict[str, tuple[int, bytes]] = {}  # what → how often, and the first member

    def attributes(self, pairs: Pairs, kind: bytes, name: bytes, place: bytes) -> None:
        """Add the attributes of the member ``name`` at ``place``."""
        found = attributes_of(pairs, kind, name)
        size = found.size
        self.has_acls |= found.has_acl
        if kind == FOLDER and size:  # which may come again, and keeps what it had
            self._in_folders[place] = size = self._in_folders.get(place, 0) + size
            if size > MAX_IN_BLOCK:
                raise Malformed(f"the extended attributes of {printable_name(name)} take {size} bytes in all")
        if size > MAX_IN_INODE:
            self.usage.attribute_block()
        for user in found.users:
            self._users.setdefault(user, name)
        for group in found.groups:
            self._groups.setdefault(group, name)
        if len(self._users) + len(self._groups) > _MAX_NAMES:
            raise Malformed(f"access control lists have more than {_MAX_NAMES} names of users and groups")
        for attribute in found.left_out:
            self._note(f"extended attribute {printable_name(attribute)} means nothing on PRIMARY and is left out", name)

    def time(self, seconds: int, name: bytes) -> None:
        if not EARLIEST <= seconds <= LATEST:
            self._note("a time before 1901 or after 2446 becomes the nearest that PRIMARY can store", name)

    def check_names(self, files: CapturedFiles) -> None:
        """Check that users and groups in access control lists exist in the image. Raises Malformed."""
        for names, content, kind in ((self._users, files.passwd, "user"), (self._groups, files.group, "group")):
            known = ids_by_name(content or b"") if names else {}
            for name, member in names.items():
                if name not in known:
                    whose = f"the access control list of {printable_name(member)}"
                    raise Malformed(f"{whose} has the {kind} {printable_name(name)}, who is not in the image")

    def needs(self, places: MemberPaths) -> Needs:
        return self.usage.needs(places.folders, places.inodes)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each."""
        return tuple(
            f"{text} ({count} members; the first: {printable_name(name)})"
            for text, (count, name) in self._notes.items()
        )

    def _note(self, text: str, name: bytes) -> None:
        count, first = self._notes.get(text, (0, name))
        if count or len(self._notes) < _MAX_NOTES:
            self._notes[text] = (count + 1, first)
