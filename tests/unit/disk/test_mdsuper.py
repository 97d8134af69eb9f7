"""md's superblocks: what is read, and that nothing else is."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.md_superblock import SUPERBLOCK_SIZE, MemberRecord, parse_superblock, superblock_offsets

UUID = bytes(range(16))
DEVICE = bytes(range(16, 32))
END = 2**64 - 1
AT = 4096


def superblock(
    *,
    roles: tuple[int, ...] = (0, 1),
    number: int = 1,
    disks: int = 2,
    level: int = 1,
    layout: int = 0,
    features: int = 1,
    events: int = 7,
    resync: int = END,
    recovery: int = 0,
    sector: int = 8,
    name: bytes = b"gp-unit:PRIMARY",
) -> bytes:
    """As struct mdp_superblock_1 says, field by field at its offset."""
    raw = bytearray(SUPERBLOCK_SIZE)

    def put(offset: int, form: str, value: int) -> None:
        struct.pack_into(f"<{form}", raw, offset, value)

    put(0, "I", 0xA92B4EFC)
    put(4, "I", 1)
    put(8, "I", features)
    raw[16:32] = UUID
    raw[32 : 32 + len(name)] = name
    put(72, "i", level)
    put(76, "i", layout)
    put(92, "I", disks)
    put(144, "Q", sector)
    put(152, "Q", recovery)
    put(160, "I", number)
    raw[168:184] = DEVICE
    put(200, "Q", events)
    put(208, "Q", resync)
    put(220, "I", len(roles))
    for index, role in enumerate(roles):
        put(256 + 2 * index, "H", role)
    return signed(raw)


def signed(raw: bytearray) -> bytes:
    struct.pack_into("<I", raw, 216, 0)
    most = struct.unpack_from("<I", raw, 220)[0]
    used = bytes(raw[: 256 + 2 * most])
    padded = used + bytes(-len(used) % 4)
    total = sum(int.from_bytes(padded[at : at + 4], "little") for at in range(0, len(padded), 4))
    struct.pack_into("<I", raw, 216, (total % 2**32 + total // 2**32) % 2**32)
    return bytes(raw)


def record(raw: bytes, offset: int = AT) -> MemberRecord:
    found = parse_superblock("/dev/sda1", raw, offset)
    assert found is not None
    return found


def test_what_a_member_says() -> None:
    assert record(superblock()) == MemberRecord(
        array="00010203-0405-0607-0809-0a0b0c0d0e0f",
        name="gp-unit:PRIMARY",
        level=1,
        layout=0,
        disks=2,
        slot=1,
        active=frozenset({0, 1}),
        events=7,
        rebuilding=False,
        clean=True,
        device="10111213-1415-1617-1819-1a1b1c1d1e1f",
    )


SPARE, FAULTY, JOURNAL = 0xFFFF, 0xFFFE, 0xFFFD


@pytest.mark.parametrize(
    ("raw", "slot", "active"),
    [
        (superblock(number=0), 0, {0, 1}),
        (superblock(roles=(0, FAULTY)), None, {0}),
        (superblock(roles=(SPARE, 1)), 1, {1}),
        (superblock(roles=(0, 1, SPARE), number=2), None, {0, 1}),
        (superblock(roles=(0, JOURNAL)), None, {0}),
        (superblock(roles=(1, 0), number=0), 1, {0, 1}),  # numbers of devices are no slots
        (superblock(roles=(0, 1), number=5), None, {0, 1}),
        (superblock(roles=(0, 7)), None, {0}),  # no such slot
        (superblock(roles=(), number=0), None, set()),
    ],
)
def test_slots(raw: bytes, slot: int | None, active: set[int]) -> None:
    assert record(raw).slot == slot
    assert record(raw).active == frozenset(active)


def test_who_does_not_hold_all_data_yet() -> None:
    assert not record(superblock(recovery=5)).rebuilding  # the field counts only with its feature bit
    assert record(superblock(features=1 | 2, recovery=5)).rebuilding
    assert not record(superblock(features=1 | 2, recovery=END)).rebuilding
    assert record(superblock(features=16)).rebuilding
    assert not record(superblock(resync=0)).clean


def test_names_end_at_a_zero_or_at_32_bytes() -> None:
    assert record(superblock(name=b"x" * 32)).name == "x" * 32
    assert record(superblock(name=b"a\0b")).name == "a"
    assert record(superblock(name=b"\xff")).name == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (superblock(sector=0), "super_offset"),
        (superblock(disks=0), "raid_disks"),
        (superblock(disks=5000), "raid_disks"),
        (superblock()[:200] + b"\1" + superblock()[201:], "sb_csum"),
        (superblock()[:220] + struct.pack("<I", 1921) + superblock()[224:], "max_dev"),
        (superblock()[:258], "max_dev"),
    ],
)
def test_damage_is_told(raw: bytes, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_superblock("/dev/sda1", raw, AT)
    assert place in [problem.place for problem in caught.value.problems]
    assert "/dev/sda1" in str(caught.value)


def test_all_problems_at_once() -> None:
    raw = bytearray(superblock(sector=9, disks=0))
    raw[200] ^= 1
    with pytest.raises(BadInput) as caught:
        parse_superblock("", bytes(raw), AT)
    assert [problem.place for problem in caught.value.problems] == ["super_offset", "sb_csum", "raid_disks"]


@pytest.mark.parametrize("raw", [b"", bytes(4096), superblock()[:255], superblock()[1:], b"\xfc\x4e\x2b\xa9" * 100])
def test_what_is_none(raw: bytes) -> None:
    assert parse_superblock("", raw, AT) is None


def test_version_0_is_left_alone() -> None:
    raw = bytearray(superblock())
    raw[4] = 0
    assert parse_superblock("", bytes(raw), AT) is None


@settings(max_examples=200)
@given(st.binary(max_size=600), st.sampled_from([0, AT]))
def test_any_bytes(raw: bytes, offset: int) -> None:
    head = struct.pack("<II", 0xA92B4EFC, 1)
    for candidate in (raw, head + raw):
        with suppress(BadInput):
            found = parse_superblock("x", candidate, offset)
            assert found is None or found.disks > 0


@settings(max_examples=200)
@given(st.integers(0, 271), st.integers(1, 255))
def test_a_changed_byte_is_noticed_wherever_it_is(at: int, change: int) -> None:
    raw = bytearray(superblock(roles=(0, 1, SPARE, SPARE, SPARE, SPARE, SPARE, SPARE)))
    raw[at] ^= change
    if at < 8:
        assert parse_superblock("", bytes(raw), AT) is None
        return
    with pytest.raises(BadInput):
        parse_superblock("", bytes(raw), AT)


@given(
    st.integers(1, 384).flatmap(
        lambda disks: st.tuples(
            st.just(disks), st.lists(st.integers(0, 0xFFFF), max_size=384).map(tuple), st.integers(0, 400)
        )
    )
)
def test_slots_are_always_of_the_array(shape: tuple[int, tuple[int, ...], int]) -> None:
    disks, roles, number = shape
    found = record(superblock(disks=disks, roles=roles, number=number))
    assert all(0 <= slot < disks for slot in found.active)
    assert found.slot is None or found.slot in found.active


@given(st.integers(0, 1 << 45))
def test_places_are_on_the_device_and_where_md_has_them(size: int) -> None:
    places = superblock_offsets(size)
    assert all(0 <= place <= size - SUPERBLOCK_SIZE for place in places)
    assert len(set(places)) == len(places)
    if size >= 1 << 20:
        sectors = size // 512
        assert places[:2] == (4096, 0)
        assert places[2] == (sectors - 16) // 8 * 8 * 512  # MD_RESERVED of version 1.0: super_1_load in md.c
