"""POSIX access control lists: the text of acl(5) in tar archives, and the value of the extended attribute.

Sources: acl(5), acl_from_text(3); Linux ``include/uapi/linux/posix_acl_xattr.h``, ``fs/posix_acl.c``
(``posix_acl_valid``), ``fs/ext4/acl.h``. Accepts the lists that libacl and the kernel accept without a message.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
_WORDS = {b"u": USER_OBJ, b"g": GROUP_OBJ, b"m": MASK, b"o": OTHER}
_NAMES = {USER_OBJ: "user", USER: "user", GROUP_OBJ: "group", GROUP: "group", MASK: "mask", OTHER: "other"}
_NAMED = {USER_OBJ: USER, GROUP_OBJ: GROUP}
# The id in a fourth field is star's and libarchive's; tar passes over it.
_ENTRY = re.compile(
    rb"(?:(u|user|g|group|m|mask|o|other):([^:,\s#\\]*)|(m|mask|o|other)):(?=.)([r-]?[w-]?[x-]?)(?::[0-9]*)?"
)
_SEPARATOR = re.compile(rb"[,\n]")
_VERSION, _HEADER, _RAW_ENTRY = 2, 4, struct.Struct("<HHI")
_NO_ID = (1 << 32) - 1


class BadAcl(Exception):
    """The kernel would not accept the list."""


@dataclass(frozen=True, slots=True)
class AclEntry:
    """``tag``: as in the attribute. ``name``: user or group given by name instead of number; else empty.
    ``permissions``: 4 read, 2 write, 1 execute."""

    tag: int
    permissions: int
    id: int | None = None
    name: bytes = b""

    @property
    def text(self) -> str:
        """The long form of acl(5)."""
        who = self.name.decode(errors="replace") if self.id is None else str(self.id)
        shown = "".join(letter if self.permissions & bit else "-" for letter, bit in zip("rwx", (4, 2, 1), strict=True))
        return f"{_NAMES[self.tag]}:{who}:{shown}"


Acl = tuple[AclEntry, ...]


def parse_acl(text: bytes) -> Acl:
    """Entries separated by commas or line breaks; an empty text is an empty list. Raises BadAcl."""
    parts = _SEPARATOR.split(text)
    if not parts[-1].strip(b" \t"):
        parts.pop()
    entries = tuple(_entry(part.strip(b" \t")) for part in parts)
    if entries:
        _check(entries)
    return entries


def parse_raw_acl(value: bytes) -> Acl:
    """The value of ``system.posix_acl_access`` or ``…_default``. Raises BadAcl; the order of entries counts."""
    if len(value) % _RAW_ENTRY.size != _HEADER or int.from_bytes(value[:_HEADER], "little") != _VERSION:
        raise BadAcl("is no access control list of version 2")
    entries = []
    for tag, permissions, number in _RAW_ENTRY.iter_unpack(value[_HEADER:]):
        if tag not in _NAMES or permissions > 7:
            raise BadAcl(f"has an entry of the type {tag} with permissions {permissions}")
        named = tag in (USER, GROUP)
        if named and number == _NO_ID:
            raise BadAcl("has an entry without a user or group")
        entries.append(AclEntry(tag, permissions, number if named else None))
    _check(tuple(entries))
    if [entry.tag for entry in entries] != sorted(entry.tag for entry in entries):
        raise BadAcl("has entries in the wrong order")
    return tuple(entries)


def acl_text(acl: Acl) -> str:
    """The short form, one line."""
    return ",".join(entry.text for entry in acl)


def acl_bytes(acl: Acl) -> int:
    """Bytes that ext4 stores."""
    return 4 + sum(8 if entry.tag in (USER, GROUP) else 4 for entry in acl)


def resolved(acl: Acl, users: Mapping[bytes, int], groups: Mapping[bytes, int]) -> tuple[Acl, Acl]:
    """Replace names by numbers. Also returns the entries with unknown names. The mask is kept: without it the group
    might have more permissions than before."""
    kept: list[AclEntry] = []
    lost: list[AclEntry] = []
    for entry in acl:
        known = users if entry.tag == USER else groups
        number = known.get(entry.name) if entry.name else entry.id
        if entry.name and number is None:
            lost.append(entry)
        else:
            kept.append(replace(entry, id=number, name=b""))
    return tuple(kept), tuple(lost)


def _entry(text: bytes) -> AclEntry:
    match = _ENTRY.fullmatch(text)
    if match is None:
        raise BadAcl(f"has the entry {text[:60]!r}")
    word, who, alone, letters = match.groups()
    tag = _WORDS[(word or alone)[:1]]
    permissions = sum(bit for letter, bit in ((b"r", 4), (b"w", 2), (b"x", 1)) if letter in letters)
    if not who:
        return AclEntry(tag, permissions)
    if tag not in _NAMED:
        raise BadAcl(f"has the entry {text[:60]!r}")
    if not who[:1].isdigit():
        return AclEntry(_NAMED[tag], permissions, None, who)
    # libacl reads numbers with strtoul and base 0: 010 is 8, 0x10 is 16.
    if not who.isdigit() or (who.startswith(b"0") and who != b"0"):
        raise BadAcl(f"has the entry {text[:60]!r}, whose number or name could be read in two ways")
    if len(who) > 10 or int(who) >= _NO_ID:
        raise BadAcl(f"has the entry {text[:60]!r}, whose number is too large")
    return AclEntry(_NAMED[tag], permissions, int(who))


def _check(acl: Acl) -> None:
    """Raise BadAcl if the kernel's ``posix_acl_valid`` would reject the list, for any order of entries."""
    tags = [entry.tag for entry in acl]
    for tag in (USER_OBJ, GROUP_OBJ, OTHER):
        if tags.count(tag) != 1:
            raise BadAcl(f"has {tags.count(tag)} entries for {_NAMES[tag]}, must have one")
    masks = tags.count(MASK)
    if masks > 1 or (masks == 0 and (USER in tags or GROUP in tags)):
        raise BadAcl(f"has {masks} masks, must have one")
