"""Extended attributes and access control lists of a member: which of them the file system of PRIMARY takes.

PRIMARY is ext4 with blocks of 4 KiB, inodes of 256 bytes and no ``ea_inode``: the attributes of a file fit into one
block. Sources: xattr(7); Linux ``fs/ext4/xattr.c`` and ``xattr.h``, ``fs/xattr.c`` (who may have ``user.``),
``security/commoncap.c`` (``validheader``).

Attributes of other file systems and systems (``btrfs.``, ``com.apple.``, ``system.nfs4_acl``) have no effect on a unit.
Extraction omits them, and verification lists their names as notes. Verification refuses an image if any other
attribute is not valid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tar_names import FOLDER, HARD_LINK, SYMLINK
from gprov.domain.formats.posix_acl import GROUP, USER, Acl, BadAcl, acl_bytes, parse_acl, parse_raw_acl
from gprov.domain.formats.printable import printable_name

ATTRIBUTE = b"SCHILY.xattr."
ACCESS_ACL, DEFAULT_ACL = b"SCHILY.acl.access", b"SCHILY.acl.default"
SELINUX = b"RHT.security.selinux"
RAW_ACLS = {b"system.posix_acl_access": ACCESS_ACL, b"system.posix_acl_default": DEFAULT_ACL}
# The patterns by which the extraction takes attributes; all others are left out.
TAKEN = ("user.*", "trusted.*", "security.*", *(name.decode() for name in RAW_ACLS))
_NAMESPACES = (b"user.", b"trusted.", b"security.")
_CAPABILITY = b"security.capability"
_WITHOUT_USER = b"2346"  # symbolic links, devices, pipes
_MAX_NAME = 255
# A block less its header and the end mark; what an inode has behind its own fields, less the same.
MAX_IN_BLOCK = 4096 - 32 - 4
MAX_IN_INODE = 256 - 128 - 32 - 4 - 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """``size``: bytes of all of them as ext4 stores them. ``users``, ``groups``: names in access control lists.
    ``left_out``: names of attributes that the extraction passes over. ``has_acl``: an access control list is among
    them."""

    size: int
    users: frozenset[bytes] = frozenset()
    groups: frozenset[bytes] = frozenset()
    left_out: tuple[bytes, ...] = ()
    has_acl: bool = False


def concerns_attributes(key: bytes) -> bool:
    return key.startswith(ATTRIBUTE) or key in (ACCESS_ACL, DEFAULT_ACL, SELINUX)


def attributes_of(pairs: Iterable[tuple[bytes, bytes]], kind: bytes, member: bytes) -> Attributes:
    """What the extended header ``pairs`` of the member ``what`` brings. Raises Malformed if ext4 would refuse it."""
    if kind == HARD_LINK:
        return Attributes(size=0)  # the file has its own
    size = 0
    has_acl = False
    acls: list[Acl] = []
    left_out: list[bytes] = []
    for key, value in pairs:
        if key.startswith(ATTRIBUTE):
            name = key[len(ATTRIBUTE) :]
            has_acl |= name in RAW_ACLS
            if is_taken(name):
                _check_attribute(name, value, kind, member)
                size += attribute_bytes(name, len(value))
            else:
                left_out.append(name)
        elif key == SELINUX:
            size += attribute_bytes(b"security.selinux", len(value) + 1)
        elif (key == ACCESS_ACL and kind != SYMLINK) or (key == DEFAULT_ACL and kind == FOLDER):
            acl = _acl(value, member)
            has_acl = True
            acls.append(acl)
            size += 16 + acl_bytes(acl)
    if size > MAX_IN_BLOCK:
        raise Malformed(
            f"the extended attributes of {printable_name(member)} take {size} bytes, more than {MAX_IN_BLOCK}"
        )
    entries = [entry for acl in acls for entry in acl if entry.name]
    return Attributes(
        size=size,
        users=frozenset(entry.name for entry in entries if entry.tag == USER),
        groups=frozenset(entry.name for entry in entries if entry.tag == GROUP),
        left_out=tuple(left_out),
        has_acl=has_acl,
    )


def is_taken(name: bytes) -> bool:
    """Does the extraction set an attribute of this name? The same answer as the patterns in ``TAKEN``."""
    return name.startswith(_NAMESPACES) or name in RAW_ACLS


def attribute_bytes(name: bytes, size: int) -> int:
    """Of one attribute with a value of ``size`` bytes as ext4 stores it."""
    return 16 + _padded(len(name) - name.find(b".") - 1) + _padded(size)


def attribute_problem(name: bytes, value: bytes, kind: bytes) -> str:
    """Why a member of this kind cannot have it; empty if it can."""
    if name in RAW_ACLS:
        if kind == SYMLINK or (RAW_ACLS[name] == DEFAULT_ACL and kind != FOLDER):
            return "is not for a member of its kind"
        try:
            parse_raw_acl(value)
        except BadAcl as exc:
            return str(exc)
        return ""
    if len(name) > _MAX_NAME or name in _NAMESPACES:
        return "has no name, or one that is too long"
    if name.startswith(b"user.") and kind in _WITHOUT_USER:
        return "is not for a member of its kind"
    if name == _CAPABILITY and not _is_capability(value):
        return "is no file capability of version 2 or 3"
    return ""


def _check_attribute(name: bytes, value: bytes, kind: bytes, member: bytes) -> None:
    problem = attribute_problem(name, value, kind)
    if problem:
        raise Malformed(f"the extended attribute {printable_name(name)} of {printable_name(member)} {problem}")


def _acl(text: bytes, member: bytes) -> Acl:
    try:
        return parse_acl(text)
    except BadAcl as exc:
        raise Malformed(f"the access control list of {printable_name(member)} {exc}") from exc


def _is_capability(value: bytes) -> bool:
    """As the kernel takes it for a privileged process: revision and size agree, no flag but "effective", and the user
    of version 3 is one."""
    revision = int.from_bytes(value[:4], "little") & ~1
    if revision == 0x02000000:
        return len(value) == 20
    return revision == 0x03000000 and len(value) == 24 and value[20:] != b"\xff" * 4


def _padded(size: int) -> int:
    return (size + 3) & ~3
