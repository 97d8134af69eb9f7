"""The records of an extended header as an image should have them: numbers in access control lists, and only what ext4
takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gprov.domain.formats.image.tar_attributes import (
    ACCESS_ACL,
    ATTRIBUTE,
    DEFAULT_ACL,
    MAX_IN_BLOCK,
    RAW_ACLS,
    SELINUX,
    attribute_bytes,
    attribute_problem,
    is_taken,
)
from gprov.domain.formats.image.tar_names import FOLDER, HARD_LINK, SYMLINK
from gprov.domain.formats.posix_acl import BadAcl, acl_bytes, acl_text, parse_acl, parse_raw_acl, resolved
from gprov.domain.formats.printable import printable_name

Pairs = list[tuple[bytes, bytes]]
# one thing that is left out of the member that is at hand
LeftOut = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users and groups of the image: numbers by name."""

    users: Mapping[bytes, int] = field(default_factory=dict)
    groups: Mapping[bytes, int] = field(default_factory=dict)


def tidy_attributes(pairs: Pairs, kind: bytes, accounts: Accounts, left_out: LeftOut) -> Pairs:
    """The records for attributes of ``pairs`` that a member of this kind can have, and all others as they are."""
    found = dict(pairs)
    kept = [(key, value) for key, value in pairs if not _concerns(key)]
    if kind == HARD_LINK:
        return kept  # the file has its own
    attributes: Pairs = []
    for raw, key in RAW_ACLS.items():
        fits = kind == FOLDER if key == DEFAULT_ACL else kind != SYMLINK
        if fits and (ATTRIBUTE + raw in found or key in found):
            text = _acl(found.get(ATTRIBUTE + raw), found.get(key, b""), accounts, left_out)
            attributes += [(key, text)] if text else []
    for key, value in found.items():
        name = key[len(ATTRIBUTE) :]
        if key == SELINUX:
            attributes.append((key, value))
        elif key.startswith(ATTRIBUTE) and name not in RAW_ACLS:
            problem = attribute_problem(name, value, kind) if is_taken(name) else "means nothing on PRIMARY"
            if problem:
                left_out(f"extended attribute {printable_name(name)}, which {problem}")
            else:
                attributes.append((key, value))
    return kept + _that_fit(attributes, left_out)


def _concerns(key: bytes) -> bool:
    return key.startswith(ATTRIBUTE) or key in (ACCESS_ACL, DEFAULT_ACL, SELINUX)


def _acl(raw: bytes | None, text: bytes, accounts: Accounts, left_out: LeftOut) -> bytes:
    """With numbers; empty if there is none. What the file system gave has them already; a text has names of whichever
    system it was made on, of which those count that the image has."""
    try:
        acl, lost = (parse_raw_acl(raw), ()) if raw else resolved(parse_acl(text), accounts.users, accounts.groups)
    except BadAcl as exc:
        left_out(f"an access control list, which {exc}")
        return b""
    for entry in lost:
        left_out(f"the entry {entry.text!r} of an access control list: that name is not in the image")
    return acl_text(acl).encode()


def _that_fit(attributes: Pairs, left_out: LeftOut) -> Pairs:
    """As many as fit into a block, in their order, the small ones first."""
    free_space = MAX_IN_BLOCK
    kept = []
    for key, value in sorted(attributes, key=lambda pair: _stored(*pair)):
        free_space -= _stored(key, value)
        if free_space < 0:
            left_out(f"{printable_name(key)}, for which the file system has no room")
        else:
            kept.append((key, value))
    return [pair for pair in attributes if pair in kept]


def _stored(key: bytes, value: bytes) -> int:
    if key in (ACCESS_ACL, DEFAULT_ACL):
        return 16 + acl_bytes(parse_acl(value))
    name = b"security.selinux" if key == SELINUX else key[len(ATTRIBUTE) :]
    return attribute_bytes(name, len(value) + (key == SELINUX))
