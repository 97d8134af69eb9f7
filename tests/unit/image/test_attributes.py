"""Extended attributes and access control lists: what ext4 takes, and what becomes of the rest in an image."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.formats.image.tar_attributes import MAX_IN_BLOCK, attributes_of
from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tidy_attributes import Accounts, tidy_attributes
from gprov.domain.formats.posix_acl import (
    GROUP,
    USER,
    AclEntry,
    BadAcl,
    acl_bytes,
    acl_text,
    parse_acl,
    parse_raw_acl,
    resolved,
)

FILE, HARD, SYMLINK, CHARACTER, FOLDER, PIPE = b"0", b"1", b"2", b"3", b"5", b"6"
KINDS = (FILE, HARD, SYMLINK, CHARACTER, FOLDER, PIPE)
XATTR = b"SCHILY.xattr."
LIST = b"user::rw-,user:7:rwx,group::r--,group:8:r-x,mask::rwx,other::---"


def raw(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


RAW = raw((1, 6, 2**32 - 1), (2, 7, 7), (4, 4, 2**32 - 1), (8, 5, 8), (16, 7, 2**32 - 1), (32, 0, 2**32 - 1))


def test_text_and_attribute_are_the_same_list() -> None:
    assert parse_acl(LIST) == parse_raw_acl(RAW)
    assert acl_text(parse_raw_acl(RAW)).encode() == LIST
    assert acl_bytes(parse_acl(LIST)) == 4 + 2 * 8 + 4 * 4
    assert parse_acl(b"") == ()
    assert parse_acl(LIST.replace(b":7:", b":0:"))[1] == AclEntry(USER, 7, 0)


def test_forms_of_other_programs() -> None:
    assert parse_acl(LIST.replace(b",", b"\n") + b"\n") == parse_acl(LIST)
    assert parse_acl(b"u::rw-, u:7:rwx:7,g::r--,g:8:r-x, m:rwx,o::-") == parse_acl(LIST)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"user::rw-,group::r--", "0 entries for other"),
        (b"user::rw-,user::rw-,group::r--,other::r--", "2 entries for user"),
        (b"user::rw-,user:1:r--,group::r--,other::r--", "0 masks"),
        (b"user::rw-,group::r--,mask::r--,mask::r--,other::r--", "2 masks"),
        (b"user::rw-,,group::r--,other::r--", "the entry b''"),
        (b"user::6,group::r--,other::r--", "the entry b'user::6'"),
        (b"user::rw-,user:010:r--,group::r--,mask::r--,other::r--", "two ways"),
        (b"user::rw-,user:08:r--,group::r--,mask::r--,other::r--", "two ways"),
        (b"user::rw-,group::r--,group:00:r--,mask::r--,other::r--", "two ways"),
        (b"user::rw-,user:0x10:r--,group::r--,mask::r--,other::r--", "two ways"),
        (b"user::rw-,user:1st:r--,group::r--,mask::r--,other::r--", "two ways"),
        (b"user::rw-,user:4294967295:r--,group::r--,mask::r--,other::r--", "too large"),
        (b"user::rw-,group::r--,other:1:r--", "the entry b'other:1:r--'"),
        (b"user::rrr,group::r--,other::r--", "the entry"),
        (b"user::,group::r--,other::r--", "the entry"),
    ],
)
def test_lists_that_the_kernel_refuses(text: bytes, said: str) -> None:
    with pytest.raises(BadAcl, match=said):
        parse_acl(text)


@pytest.mark.parametrize("value", [b"", RAW[:4], RAW[:-1], b"\3" + RAW[1:], raw(*[(1, 6, 0)] * 3), RAW[:4] + RAW[12:]])
def test_attributes_that_are_no_list(value: bytes) -> None:
    with pytest.raises(BadAcl):
        parse_raw_acl(value)


def test_a_name_that_the_image_lacks_leaves_the_list() -> None:
    acl = parse_acl(b"user::rw-,user:a:rwx,user:b:r--,user:5:r--,group::r--,group:a:r--,mask::rwx,other::---")
    kept, lost = resolved(acl, {b"a": 1}, {})
    assert acl_text(kept) == "user::rw-,user:1:rwx,user:5:r--,group::r--,mask::rwx,other::---"
    assert lost == (AclEntry(USER, 4, None, b"b"), AclEntry(GROUP, 4, None, b"a"))


def refused(*pairs: tuple[bytes, bytes], kind: bytes = FILE) -> str:
    try:
        attributes_of(pairs, kind, b"f")
    except Malformed as exc:
        return str(exc)
    return ""


def test_what_a_block_holds() -> None:
    most = b"v" * (MAX_IN_BLOCK - 16 - 4)
    assert attributes_of([(XATTR + b"user.a", most)], FILE, b"f").size == MAX_IN_BLOCK
    assert "more than 4060" in refused((XATTR + b"user.a", most + b"v"))
    assert "more than 4060" in refused((XATTR + b"user.a", most), (XATTR + b"user.b", b""))
    assert not refused((XATTR + b"com.apple.a", b"v" * 9000))


def test_who_may_have_what() -> None:
    user, trusted = (XATTR + b"user.a", b"v"), (XATTR + b"trusted.a", b"v")
    assert [kind for kind in KINDS if refused(user, kind=kind)] == [SYMLINK, CHARACTER, PIPE]
    assert not any(refused(trusted, kind=kind) for kind in KINDS)
    default = (XATTR + b"system.posix_acl_default", RAW)
    assert [kind for kind in KINDS if not refused(default, kind=kind)] == [HARD, FOLDER]
    assert [kind for kind in KINDS if not refused((b"SCHILY.acl.access", b"?"), kind=kind)] == [HARD, SYMLINK]


def test_names_are_told() -> None:
    text = b"user::rw-,user:a:rwx,group::r--,group:b:r--,mask::rwx,other::---"
    found = attributes_of([(b"SCHILY.acl.access", text), (XATTR + b"btrfs.x", b"")], FILE, b"f")
    assert (set(found.users), set(found.groups), found.left_out) == ({b"a"}, {b"b"}, (b"btrfs.x",))


def test_lists_in_either_form_are_told() -> None:
    text = b"user::rw-,group::r--,other::---"
    assert attributes_of([(b"SCHILY.acl.access", text)], FILE, b"f").has_acl
    assert attributes_of([(XATTR + b"system.posix_acl_access", RAW)], FILE, b"f").has_acl
    assert not attributes_of([(XATTR + b"user.a", b"v"), (b"RHT.security.selinux", b"x")], FILE, b"f").has_acl


pairs = st.lists(
    st.tuples(
        st.sampled_from([XATTR + b"user.a", XATTR + b"trusted.b", XATTR + b"security.capability", XATTR + b"x.y"])
        | st.sampled_from([XATTR + b"system.posix_acl_access", b"SCHILY.acl.access", b"SCHILY.acl.default"])
        | st.just(b"RHT.security.selinux"),
        st.sampled_from([RAW, LIST, b"", b"\1\0\0\2" + bytes(16)]) | st.binary(max_size=9) | st.just(b"v" * 3000),
    ),
    max_size=6,
)


@given(pairs=pairs, kind=st.sampled_from(KINDS))
def test_what_was_tidied_is_accepted(pairs: list[tuple[bytes, bytes]], kind: bytes) -> None:
    left_out: list[str] = []
    tidy = tidy_attributes(pairs, kind, Accounts(), left_out.append)
    found = attributes_of(tidy, kind, b"f")
    assert not found.users | found.groups
    assert not found.left_out
    again = tidy_attributes(tidy, kind, Accounts(), left_out.append)
    assert sorted(again) == sorted(tidy)
