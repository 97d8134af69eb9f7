"""Bundles: an independent reader finds what was put in, and ours reads no more than it needs and refuses the rest."""

from __future__ import annotations

import stat
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.cpio import MemberHeader, opening, padded
from gprov.domain.image.name import ImageName
from gprov.domain.update.bundle import (
    DESCRIPTION_FILE,
    MAX_HEAD,
    MAX_IMAGE,
    BundleHead,
    FoundHead,
    Incomplete,
    bundle_head,
    bundle_tail,
    read_head,
)
from gprov.domain.update.sw_description import release_version, sw_description
from tests.unit.build.newc import read_newc

IMAGE = "WIDGET.LNX.SHINY.2026-01-15.0001.upd"
CONTENT = st.binary(min_size=1, max_size=40)
IMAGES = st.binary(min_size=1, max_size=40)
HEADS = st.builds(
    BundleHead,
    image=st.just(IMAGE),
    size=st.integers(1, MAX_IMAGE),
    description=CONTENT,
    manifest=CONTENT,
    signature=CONTENT,
    chain=st.none() | CONTENT,
)
NAMES = st.builds(
    lambda day, build, zeros: ImageName(day, build, "0" * zeros + str(build), "WIDGET."),
    st.dates(date(1970, 1, 1)),
    st.integers(0, 200_000),
    st.integers(0, 3),
)


def whole(head: BundleHead, image: bytes) -> bytes:
    assert len(image) == head.size
    return bundle_head(head) + image + bundle_tail(len(image))


@given(HEADS, IMAGES)
def test_an_independent_reader_finds_the_files(head: BundleHead, image: bytes) -> None:
    head = BundleHead(
        image=head.image,
        size=len(image),
        description=head.description,
        manifest=head.manifest,
        signature=head.signature,
        chain=head.chain,
    )
    members = read_newc(whole(head, image))
    chain = [] if head.chain is None else [("trust.chain", head.chain)]
    assert [(member.name.decode(), member.content) for member in members] == [
        ("sw-description", head.description),
        *chain,
        (f"{IMAGE}.manifest", head.manifest),
        (f"{IMAGE}.manifest.minisig", head.signature),
        (IMAGE, image),
    ]
    # The manifest holds password hashes: unpacked by root, only root reads it.
    assert {member.fields[1] for member in members} == {stat.S_IFREG | 0o600}
    assert len({member.fields[0] for member in members}) == len(members)


@given(HEADS)
def test_reading_asks_for_what_it_needs_and_for_nothing_of_the_image(head: BundleHead) -> None:
    data = bundle_head(head)
    have = 0
    while isinstance(found := read_head("bundle", data[:have]), Incomplete):
        assert have < found.needed <= min(len(data), MAX_HEAD)
        have = found.needed
    assert found == FoundHead(head, len(data))
    assert read_head("bundle", data + b"the image") == found


@given(HEADS, st.data())
def test_a_damaged_head_is_refused_or_read_as_another(head: BundleHead, data: st.DataObject) -> None:
    content = bytearray(bundle_head(head))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_head("bundle", bytes(content))
    except BadInput:
        return
    if isinstance(found, Incomplete):
        assert len(content) < found.needed <= MAX_HEAD
    else:
        assert found.head.image.endswith(".upd")
        assert 0 < found.head.size <= MAX_IMAGE


@given(st.binary(max_size=400))
def test_other_bytes_are_refused(content: bytes) -> None:
    try:
        found = read_head("bundle", content)
    except BadInput:
        return
    assert isinstance(found, Incomplete)
    assert found.needed > len(content)


def member(name: str, content: bytes = b"x", *, mode: int = stat.S_IFREG | 0o600, size: int | None = None) -> bytes:
    header = MemberHeader(inode=1, mode=mode, size=len(content) if size is None else size)
    return opening(name, header) + padded(content)


FIRST = member(DESCRIPTION_FILE)
SIGNED = FIRST + member(f"{IMAGE}.manifest") + member(f"{IMAGE}.manifest.minisig")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hsqs" + bytes(110), 'byte 0: no header of a cpio archive ("newc")'),
        (FIRST.replace(b"070701", b"070707", 1), 'byte 0: no header of a cpio archive ("newc")'),
        (FIRST[:6] + b"+0000001" + FIRST[14:], "byte 0: a header with other than hexadecimal digits"),
        (member(f"{IMAGE}.manifest"), "byte 0: sw-description must follow, found"),
        (FIRST + FIRST, "trust.chain or a manifest must follow, found 'sw-description'"),
        (FIRST + member(IMAGE), "trust.chain or a manifest must follow, found"),
        (FIRST + member("trust.chain") * 2, "a manifest must follow, found 'trust.chain'"),
        (FIRST + member(f"{IMAGE}.manifest.minisig"), "trust.chain or a manifest must follow"),
        (FIRST + member(f"{IMAGE}.manifest") + member(IMAGE), "a signature must follow"),
        (SIGNED + member("TRAILER!!!", b""), "an image must follow, found 'TRAILER!!!'"),
        (SIGNED + member("install.sh"), "an image must follow, found 'install.sh'"),
        (SIGNED + member(f"OTHER.{IMAGE}"), f"'OTHER.{IMAGE}' does not belong to '{IMAGE}'"),
        (
            FIRST + member(f"{IMAGE}.manifest") + member(f"OTHER.{IMAGE}.manifest.minisig"),
            f"does not belong to '{IMAGE}'",
        ),
        (FIRST + member(f"../{IMAGE}.manifest"), "is not the name of an image or of a file beside one"),
        (FIRST + member(f"a\0b{IMAGE}.manifest"), "is not the name of an image or of a file beside one"),
        (FIRST + member("x" * 300 + ".upd.manifest"), "no file with a name of 1 to 299 bytes"),
        (member(""), "no file with a name of 1 to 299 bytes"),
        (member(DESCRIPTION_FILE, mode=stat.S_IFLNK | 0o777), "no file with a name"),
        (member(DESCRIPTION_FILE, b""), "has 0 bytes, must have 1 to 65536"),
        (member(DESCRIPTION_FILE, size=65537), "has 65537 bytes, must have 1 to 65536"),
        (FIRST + member("trust.chain", size=(1 << 20) + 1), "has 1048577 bytes, must have 1 to 1048576"),
        (FIRST + member(f"{IMAGE}.manifest", size=(4 << 20) + 1), "has 4194305 bytes, must have 1 to 4194304"),
        (SIGNED + member(IMAGE, b""), "has 0 bytes, must have 1 to 4294967295"),
    ],
)
def test_what_is_no_bundle_is_refused_at_once(content: bytes, message: str) -> None:
    """Before contents are there: what a header announces is enough."""
    with pytest.raises(BadInput) as caught:
        read_head("bundle", content)
    assert message in str(caught.value)


def test_the_largest_head_is_read() -> None:
    name = "W" * (255 - len("2026-01-15.1.upd")) + "2026-01-15.1.upd"
    head = BundleHead(
        image=name,
        size=1,
        description=bytes(64 << 10),
        manifest=bytes(4 << 20),
        signature=bytes(32 << 10),
        chain=bytes(1 << 20),
    )
    data = bundle_head(head)
    assert len(data) <= MAX_HEAD
    assert read_head("bundle", data) == FoundHead(head, len(data))


def test_all_parts_that_do_not_fit_are_named() -> None:
    head = BundleHead(image="a/b.upd", size=1 << 32, description=b"", manifest=b"m", signature=b"s", chain=b"")
    with pytest.raises(BadInput) as caught:
        bundle_head(head)
    places = {problem.place for problem in caught.value.problems}
    assert places == {"sw-description", "trust.chain", "a/b.upd", "a/b.upd.manifest", "a/b.upd.manifest.minisig"}


@given(NAMES, NAMES)
def test_versions_are_ordered_as_images(one: ImageName, other: ImageName) -> None:
    numbers = [[int(part) for part in release_version(name).split(".")] for name in (one, other)]
    assert (numbers[0] < numbers[1]) == ((one.date, one.build) < (other.date, other.build))


def test_what_a_server_reads() -> None:
    name = ImageName(date(2026, 1, 15), 7, "0007", 'WIDGET "A".')
    assert sw_description(name, ["QEMU", "back\\slash\x01"]).decode().splitlines() == [
        "software =",
        "{",
        '  version = "2026.115.7";',
        '  description = "WIDGET \\"A\\".2026-01-15.0007";',
        '  hardware-compatibility = [ "QEMU", "back\\\\slash\\x01" ];',
        "};",
    ]
