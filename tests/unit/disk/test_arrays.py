"""Arrays as their members tell of them."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.arrays import ArrayState, FoundArray, Member, found_arrays, works_with
from gprov.domain.disk.arrayspec import array_host, array_spec, capacity
from gprov.domain.disk.model import Disk
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.md_superblock import MemberRecord
from gprov.domain.platform.model import RaidLevel

UUID = "00010203-0405-0607-0809-0a0b0c0d0e0f"
NEAR = 0x102


def member(
    name: str,
    slot: int | None,
    active: tuple[int, ...] = (0, 1),
    *,
    events: int = 10,
    level: int = 1,
    disks: int = 2,
    layout: int = 0,
    rebuilding: bool = False,
    clean: bool = True,
    uuid: str = UUID,
) -> Member:
    minor = ord(name) - ord("a")
    disk = Disk(
        name=f"sd{name}", node=f"/dev/sd{name}", device=DeviceNumber(8, 16 * minor), size=10**10, serial=f"S{name}"
    )
    record = MemberRecord(
        array=uuid,
        name="gp-unit:PRIMARY",
        level=level,
        layout=layout,
        disks=disks,
        slot=slot,
        active=frozenset(active),
        events=events,
        rebuilding=rebuilding,
        clean=clean,
        device=name * 4,
    )
    return Member(disk=disk, partition=None, node=disk.node, device=disk.device, record=record)


def one(*members: Member) -> FoundArray:
    [array] = found_arrays(members)
    return array


def test_all_members() -> None:
    array = one(member("b", 1), member("a", 0))
    assert [found.node for found in array.members] == ["/dev/sda", "/dev/sdb"]
    assert (array.state, array.complete, array.missing, array.stale) == (ArrayState.CLEAN, True, (), ())


def test_one_that_was_there_last_time_is_missing() -> None:
    array = one(member("a", 0))
    assert (array.state, array.complete, array.startable, array.missing) == (ArrayState.DEGRADED, False, True, (1,))
    assert "missing slot 1" in array.describe()


def test_one_that_is_known_to_be_missing() -> None:
    array = one(member("a", 0, active=(0,)))
    assert (array.state, array.complete, array.missing) == (ArrayState.DEGRADED, True, (1,))


@pytest.mark.parametrize(("events", "stale"), [(10, 0), (9, 0), (8, 1), (1, 1), (11, 0)])
def test_who_missed_changes_is_left_behind(events: int, stale: int) -> None:
    array = one(member("a", 0), member("b", 1, events=events))
    assert len(array.stale) == stale
    assert array.missing == ()
    assert array.complete is not bool(stale)


def test_who_the_newest_does_not_know_is_left_behind_even_with_as_many_changes() -> None:
    """Both ran alone."""
    array = one(member("a", 0, active=(0,), events=12), member("b", 1, active=(1,), events=12))
    assert len(array.members) == len(array.stale) == 1
    assert array.complete


def test_spares_come_along_and_do_not_count() -> None:
    array = one(member("a", 0, active=(0,)), member("b", None, active=(0,)))
    assert [found.node for found in array.members] == ["/dev/sda", "/dev/sdb"]
    assert array.slots == frozenset({0})
    assert array.missing == (1,)


def test_a_member_that_is_rebuilt_holds_not_enough() -> None:
    array = one(member("a", 0), member("b", 1, rebuilding=True))
    assert (array.state, array.complete, array.missing) == (ArrayState.DEGRADED, True, ())
    lonely = one(member("b", 1, rebuilding=True))
    assert (lonely.state, lonely.startable) == (ArrayState.FAILED, False)


@pytest.mark.parametrize(("level", "clean", "told"), [(5, False, True), (5, True, False), (1, False, False)])
def test_parity_that_may_be_wrong_is_told_of(level: int, clean: bool, told: bool) -> None:
    three = (0, 1, 2)
    members = [member(name, slot, three, level=level, disks=3, clean=clean) for name, slot in (("a", 0), ("b", 1))]
    assert one(*members).unclean is told
    assert ("may be damaged" in one(*members).describe()) is told
    assert not one(*members, member("c", 2, three, level=level, disks=3, clean=clean)).unclean


def test_two_for_one_slot_are_a_doubt() -> None:
    array = one(member("a", 0), member("b", 0), member("c", 1))
    assert not array.startable
    assert not array.complete
    assert "more than one member for slot 0" in array.describe()


def test_members_that_contradict_each_other_are_a_doubt() -> None:
    assert not one(member("a", 0), member("b", 1, level=0)).startable
    assert not one(member("a", 0), member("b", 1, disks=3)).startable


def test_arrays_are_told_apart_by_uuid_alone() -> None:
    arrays = found_arrays([member("a", 0), member("b", 1, uuid=UUID.replace("00", "ff"))])
    assert [len(array.members) for array in arrays] == [1, 1]
    assert arrays[0].short_name == arrays[1].short_name == "PRIMARY"


def least(level: int, layout: int, disks: int) -> int:
    """The smallest number of members that works whichever they are."""
    return next(
        count
        for count in range(1, disks + 1)
        if all(works_with(level, layout, disks, slots) for slots in combinations(range(disks), count))
    )


@pytest.mark.parametrize(
    ("level", "layout", "disks", "wanted"),
    [
        (0, 0, 2, 2),
        (1, 0, 2, 1),
        (1, 0, 4, 1),
        (5, 2, 3, 2),
        (5, 2, 7, 6),
        (6, 2, 4, 2),
        (10, NEAR, 4, 3),
        (10, NEAR, 6, 5),
        (10, NEAR, 5, 4),
        (10, 0x103, 6, 4),
        (10, 0x201, 4, 3),  # far copies
        (-1, 0, 2, 2),
        (4, 0, 3, 3),  # a level that gprov does not make
    ],
)
def test_how_many_members_always_suffice(level: int, layout: int, disks: int, wanted: int) -> None:
    assert least(level, layout, disks) == wanted
    assert works_with(level, layout, disks, range(disks))
    assert not works_with(level, layout, disks, [])


def test_raid_10_needs_one_of_each_pair() -> None:
    working = [slots for slots in combinations(range(4), 2) if works_with(10, NEAR, 4, slots)]
    assert working == [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert works_with(10, NEAR, 5, [0, 2, 4])
    assert not works_with(10, NEAR, 5, [1, 2, 3])  # copies of the third pair are on 4 and 0


@given(st.integers(-1, 10), st.integers(0, 0xFFFF), st.integers(1, 20), st.sets(st.integers(-2, 25)))
def test_more_members_never_hurt(level: int, layout: int, disks: int, slots: set[int]) -> None:
    if works_with(level, layout, disks, slots):
        assert works_with(level, layout, disks, slots | {0, disks - 1})


@pytest.mark.parametrize(
    ("level", "sizes", "expected"),
    [
        (None, [20], 20),
        (RaidLevel.RAID0, [10, 10], 20),
        (RaidLevel.RAID1, [10, 12], 10),
        (RaidLevel.RAID10, [10, 10, 10, 11], 20),
        (RaidLevel.RAID5, [10, 10, 10], 20),
        (RaidLevel.RAID6, [10, 10, 10, 9], 18),
    ],
)
def test_capacity(level: RaidLevel | None, sizes: list[int], expected: int) -> None:
    assert capacity(level, sizes) == expected


@pytest.mark.parametrize("level", RaidLevel)
def test_too_few_disks_make_no_array(level: RaidLevel) -> None:
    capacity(level, [10] * level.min_disks)
    with pytest.raises(HardwareMismatch, match=f"needs at least {level.min_disks} disks"):
        capacity(level, [10] * (level.min_disks - 1))


def test_names_of_arrays() -> None:
    spec = array_spec("PRIMARY", "gp-lab0001", bytes(range(16)), RaidLevel.RAID1)
    assert (spec.full_name, spec.uuid) == ("gp-lab0001:PRIMARY", UUID)
    assert "ARRAY /dev/md/PRIMARY metadata=1.2 UUID=00010203:04050607:08090a0b:0c0d0e0f" in spec.config


@given(st.text("abcdefgh-0123456789", min_size=1, max_size=64), st.text("abcdefgh-0123456789", min_size=1, max_size=64))
def test_a_name_fits_and_stays_the_units_own(first: str, second: str) -> None:
    hosts = [array_host(host, "PRIMARY") for host in (first, second)]
    assert all(len(f"{host}:PRIMARY") <= 31 for host in hosts)
    assert (hosts[0] == hosts[1]) is (first == second)
