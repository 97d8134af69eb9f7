"""What an erase left at both ends of its disks: what is kept, and which disk counts as left alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.left_ends import (
    DiskEnds,
    disk_ends,
    ends_digest,
    is_as_left,
    parse_ends,
    serialise_ends,
)
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
ENDS = st.lists(st.builds(DiskEnds, TEXT, st.integers(0, 1 << 62), DIGESTS), max_size=3).map(tuple)
DISK = Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=10**10, bus=Bus.ATA, serial="S\udcff1")


@given(ENDS)
def test_what_is_kept_is_read_again(ends: tuple[DiskEnds, ...]) -> None:
    assert parse_ends("erase_left.json", serialise_ends(ends)) == ends


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "erase_left.json"),
        (b'{"Version": 2, "Disks": []}', "is newer than 1"),
        (b'{"Version": 1}', "Disks"),
        (b'{"Version": 1, "Disks": [{"Identity": "a", "Size": 1}]}', "Digest"),
    ],
)
def test_a_damaged_record_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_ends("erase_left.json", content)
    assert problem in "\n".join([str(caught.value), *caught.value.details()])


@pytest.mark.parametrize(
    ("size", "ends"),
    [
        (10**10, [(0, 1 << 20), (10**10 - (1 << 20), 10**10)]),
        (1 << 20, [(0, 1 << 20), (0, 1 << 20)]),
        (512, [(0, 512), (0, 512)]),
    ],
)
def test_the_ends_of_a_disk(size: int, ends: list[tuple[int, int]]) -> None:
    assert [(one.start, one.end) for one in disk_ends(size)] == ends


def test_the_digest_is_that_of_both_ends() -> None:
    assert ends_digest(b"first" + b"last") == hashlib.sha256(b"firstlast").hexdigest()


def test_only_the_same_disk_with_the_same_ends_counts_as_left_alone() -> None:
    content = b"stamped"
    [left] = parse_ends("x", serialise_ends([DiskEnds(DISK.identity, DISK.size, ends_digest(content))]))
    assert is_as_left(DISK, content, [left])
    assert is_as_left(DISK, content, [replace(left, digest="of a twin"), left])
    assert not is_as_left(DISK, b"changed", [left])
    assert not is_as_left(replace(DISK, serial="S2"), content, [left])
    assert not is_as_left(replace(DISK, size=DISK.size + 512), content, [left])
    assert not is_as_left(DISK, content, [])
