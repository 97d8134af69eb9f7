"""Target disks: what is excluded never competes, and doubt means refusal."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.model import ActiveMount, Bus, Contents, Disk, Partition, Volume
from gprov.domain.disk.targets import TargetSpec, choose_targets, excluded_disks, removable_reason
from gprov.domain.errors import HardwareMismatch, InternalError
from gprov.domain.formats.disk.device_number import DeviceNumber

GB = 10**9


def disk(
    name: str,
    size: int,
    minor: int,
    *,
    parts: int = 0,
    read_only: bool = False,
    bus: Bus = Bus.ATA,
    removable: bool = False,
) -> Disk:
    partitions = tuple(
        Partition(
            name=f"{name}{n}",
            node=f"/dev/{name}{n}",
            device=DeviceNumber(8, minor + n),
            number=n,
            start=n << 20,
            size=1 << 20,
        )
        for n in range(1, parts + 1)
    )
    return Disk(
        name=name,
        node=f"/dev/{name}",
        device=DeviceNumber(8, minor),
        size=size,
        bus=bus,
        serial=f"S{minor}",
        partitions=partitions,
        read_only=read_only,
        removable=removable,
    )


def volume(on: Disk, number: int) -> Volume:
    part = on.partitions[number - 1]
    return Volume(disk=on, node=part.node, device=part.device, contents=Contents("ext4", "RECOVERY"), partition=part)


def names(disks: tuple[Disk, ...]) -> list[str]:
    return [one.name for one in disks]


def test_recovery_of_the_right_size_is_never_a_target() -> None:
    recovery, data = disk("sda", 100 * GB, 0, parts=2), disk("sdb", 100 * GB, 16)
    excluded = excluded_disks([recovery, data], (), volume(recovery, 2))
    choice = choose_targets([recovery, data], excluded, TargetSpec(1, 100 * GB))
    assert names(choice.chosen) == ["sdb"]
    assert "RECOVERY" in choice.report[0].reason
    assert [line.selected for line in choice.report] == [False, True]


def test_a_name_that_begins_like_recovery_is_another_disk() -> None:
    """/dev/sdaa is not on /dev/sda."""
    recovery, data = disk("sda", 8 * GB, 0, parts=1), disk("sdaa", 100 * GB, 416, parts=1)
    excluded = excluded_disks([recovery, data], (), volume(recovery, 1))
    assert set(excluded) == {recovery.device}
    assert names(choose_targets([recovery, data], excluded, TargetSpec(1, 100 * GB)).chosen) == ["sdaa"]


def test_mounted_and_booted_disks_are_excluded_with_their_reasons() -> None:
    a, b, c = (disk(f"sd{letter}", 100 * GB, 16 * index, parts=2) for index, letter in enumerate("abc"))
    mounts = [ActiveMount(a.partitions[1].device, "/mnt/data", "ext4"), ActiveMount(a.device, "/other", "ext4")]
    excluded = excluded_disks([a, b, c], mounts, None, b.partitions[0].device)
    assert excluded[a.device] == "has a file system mounted at /mnt/data; has a file system mounted at /other"
    assert "boot" in excluded[b.device]
    assert names(choose_targets([a, b, c], excluded, TargetSpec(1, 100 * GB)).chosen) == ["sdc"]


def test_a_mounted_array_excludes_every_disk_below_it() -> None:
    array = DeviceNumber(9, 0)
    members = [
        Disk(
            name=name,
            node=f"/dev/{name}",
            device=DeviceNumber(8, minor),
            size=100 * GB,
            partitions=(
                Partition(
                    name=f"{name}1",
                    node=f"/dev/{name}1",
                    device=DeviceNumber(8, minor + 1),
                    number=1,
                    start=0,
                    size=100 * GB,
                    holders=(array,),
                ),
            ),
        )
        for name, minor in (("sda", 0), ("sdb", 16))
    ]
    excluded = excluded_disks(members, [ActiveMount(array, "/", "ext4")], None)
    assert set(excluded) == {DeviceNumber(8, 0), DeviceNumber(8, 16)}


def test_two_equal_disks_where_one_is_wanted_are_refused_with_the_list() -> None:
    disks = [disk("sda", 100 * GB, 0), disk("sdb", 101 * GB, 16)]
    with pytest.raises(HardwareMismatch, match="more than one choice: /dev/sda, /dev/sdb") as caught:
        choose_targets(disks, {}, TargetSpec(1, 100 * GB))
    assert len(caught.value.differences) == 2


def test_a_third_disk_that_does_not_agree_with_the_pair_leaves_no_doubt() -> None:
    disks = [disk("sda", 100 * GB, 0), disk("sdb", 104 * GB, 16), disk("sdc", 100 * GB, 32)]
    choice = choose_targets(disks, {}, TargetSpec(2, 100 * GB))
    assert names(choice.chosen) == ["sda", "sdc"]
    assert "differs too much" in choice.report[1].reason


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ([], "1 target disk of 100000000000 bytes required, 0 found"),
        ([50 * GB, 200 * GB], "0 found"),
        ([94_999_999_999], "0 found"),
        ([105_000_000_001], "0 found"),
    ],
)
def test_a_missing_disk_is_refused(sizes: list[int], sentence: str) -> None:
    disks = [disk(f"sd{chr(97 + index)}", size, 16 * index) for index, size in enumerate(sizes)]
    with pytest.raises(HardwareMismatch, match=sentence):
        choose_targets(disks, {}, TargetSpec(1, 100 * GB))


@pytest.mark.parametrize("size", [95 * GB, 105 * GB])
def test_tolerance_includes_its_bounds(size: int) -> None:
    assert choose_targets([disk("sda", size, 0)], {}, TargetSpec(1, 100 * GB)).chosen


def test_pairs_that_overlap_are_ambiguous() -> None:
    disks = [disk("sda", 1000 * GB, 0), disk("sdb", 1009 * GB, 16), disk("sdc", 1018 * GB, 32)]
    with pytest.raises(HardwareMismatch, match="more than one choice"):
        choose_targets(disks, {}, TargetSpec(2, 1000 * GB))


def test_a_set_that_disagrees_is_refused() -> None:
    disks = [disk("sda", 100 * GB, 0), disk("sdb", 103 * GB, 16)]
    with pytest.raises(HardwareMismatch, match="agree within 1 %"):
        choose_targets(disks, {}, TargetSpec(2, 100 * GB))


def test_a_write_protected_disk_is_no_target() -> None:
    disks = [disk("sda", 100 * GB, 0, read_only=True)]
    with pytest.raises(HardwareMismatch):
        choose_targets(disks, {}, TargetSpec(1, 100 * GB))
    assert excluded_disks(disks, (), None) == {disks[0].device: "is read-only"}


@pytest.mark.parametrize(
    ("outside", "reason"),
    [
        (disk("sdb", 100 * GB, 16, bus=Bus.USB), "excluded: is attached by USB"),
        (disk("sdb", 100 * GB, 16, bus=Bus.MMC, removable=True), "excluded: is removable"),
    ],
)
def test_what_can_be_plugged_in_is_no_target_whatever_its_size(outside: Disk, reason: str) -> None:
    with pytest.raises(HardwareMismatch, match="0 found") as caught:
        choose_targets([outside], {}, TargetSpec(1, 100 * GB))
    assert reason in caught.value.differences[0].message
    choice = choose_targets([disk("sda", 100 * GB, 0), outside], {}, TargetSpec(1, 100 * GB))
    assert names(choice.chosen) == ["sda"]
    # RECOVERY is made on such disks: they are not untouchable in general.
    assert excluded_disks([outside], (), None) == {}


machine_sizes = st.lists(st.sampled_from([50, 98, 99, 100, 101, 102, 104, 105, 106, 200]), max_size=7)


@given(machine_sizes, st.integers(1, 4), st.sets(st.integers(0, 6)))
def test_what_is_chosen_is_complete_allowed_and_without_alternative(
    sizes: list[int], count: int, barred: set[int]
) -> None:
    disks = [disk(f"sd{chr(97 + index)}", size * GB, 16 * index) for index, size in enumerate(sizes)]
    excluded = {one.device: "barred" for index, one in enumerate(disks) if index in barred}
    spec = TargetSpec(count, 100 * GB)
    chosen: tuple[Disk, ...] = ()
    with suppress(HardwareMismatch):
        chosen = choose_targets(disks, excluded, spec).chosen
    # The definition, by brute force: all sets that meet the specification.
    allowed = [one for one in disks if one.device not in excluded and 95 * GB <= one.size <= 105 * GB]
    ways = [
        pick
        for mask in range(1 << len(allowed))
        if (pick := {one.name for index, one in enumerate(allowed) if mask >> index & 1}) and len(pick) == count
        if _agree([one.size for one in allowed if one.name in pick])
    ]
    assert {one.name for one in chosen} == (ways[0] if len(ways) == 1 else set())


def _agree(sizes: list[int]) -> bool:
    return (max(sizes) - min(sizes)) * 100 <= max(sizes)


def test_a_disk_in_a_hot_plug_bay_is_built_in() -> None:
    bay = disk("sdb", 100 * GB, 16, bus=Bus.ATA, removable=True)
    assert choose_targets([bay], {}, TargetSpec(1, 100 * GB)).chosen == (bay,)


def test_each_reason_is_told_once() -> None:
    recovery, data = disk("sda", 100 * GB, 0, parts=2, read_only=True), disk("sdb", 100 * GB, 16, parts=2)
    mounts = [ActiveMount(part.device, "/mnt", "ext4") for part in (*recovery.partitions, *recovery.partitions)]
    excluded = excluded_disks([recovery, data], mounts, volume(recovery, 2), recovery.partitions[0].device)
    assert excluded == {
        recovery.device: "is RECOVERY; this boot came from it; has a file system mounted at /mnt; is read-only"
    }
    # Also if it is not among the disks, as when it came only now.
    assert excluded_disks([data], (), volume(recovery, 2)) == {recovery.device: "is RECOVERY"}


def test_the_report_covers_every_disk_and_names_come_in_order() -> None:
    disks = [disk("sdb", 100 * GB, 16), disk("sda", 101 * GB, 32), disk("sdc", 50 * GB, 0), disk("sdd", 104 * GB, 48)]
    choice = choose_targets(disks, {}, TargetSpec(2, 100 * GB))
    assert names(choice.chosen) == ["sda", "sdb"]
    assert [line.describe().partition(": ")[2] for line in choice.report] == [
        "selected, fits",
        "selected, fits",
        "not selected, wrong size: 50000000000 bytes, expected 100000000000 ± 5 %",
        "not selected, its size differs too much from the set",
    ]


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ([100], "2 target disks of 100000000000 bytes required, 1 found: /dev/sda"),
        ([100, 103], "2 target disks of 100000000000 bytes required, but none agree within 1 % of each other: "),
        ([100, 100, 100], "2 target disks of 100000000000 bytes required, but there is more than one choice: "),
        ([98, 98, 101, 101], "2 target disks of 100000000000 bytes required, but there is more than one choice: "),
    ],
)
def test_a_refusal_tells_what_was_wanted_and_why_each_disk_was_not_taken(sizes: list[int], sentence: str) -> None:
    disks = [disk(f"sd{'abcd'[index]}", size * GB, 16 * index) for index, size in enumerate(sizes)]
    with pytest.raises(HardwareMismatch) as caught:
        choose_targets(disks, {}, TargetSpec(2, 100 * GB))
    assert sentence in str(caught.value)
    told = [problem.message for problem in caught.value.differences]
    assert len(told) == len(sizes)
    assert all(line.endswith(": not selected, it fits, but there is no unambiguous set of 2") for line in told)


@pytest.mark.parametrize("spec", [TargetSpec(0, 100 * GB), TargetSpec(1, 0)])
def test_a_specification_that_asks_for_nothing_is_an_error_of_ours(spec: TargetSpec) -> None:
    with pytest.raises(InternalError):
        choose_targets([disk("sda", 100 * GB, 0)], {}, spec)
    assert choose_targets([disk("sda", 1, 0)], {}, TargetSpec(1, 1)).chosen


def test_a_removable_disk_of_unknown_kind_is_no_target() -> None:
    assert removable_reason(disk("sda", GB, 0, bus=Bus.UNKNOWN, removable=True)) == "is removable"
    assert removable_reason(disk("sda", GB, 0, bus=Bus.USB)) == "is attached by USB"
    built_in = [disk("sda", GB, 0, bus=bus) for bus in Bus if bus is not Bus.USB]
    assert [removable_reason(one) for one in built_in] == [""] * len(built_in)


SET = (
    *(disk(f"sd{chr(ord('a') + at)}", 19500 + 100 * at, 1 + 16 * at) for at in range(10)),
    disk("sdm", 20010, 401),
    disk("sdn", 512110190592, 417),
    disk("sdo", 500000000000, 433),
    disk("sdp", 1000204886016, 449),
    disk("sdq", 1000204886016, 465),
)


@pytest.mark.parametrize(
    ("size", "count", "set_tolerance", "tolerance", "chosen"),
    [
        (199900, 2, 1, 1, ""),
        (512110190592, 1, 0, 0, "n"),
        (500000000000, 2, 1, 1, ""),
        (500000000000, 1, 0, 0, "o"),
        (512110190592, 2, 3, 3, "no"),
        (512110190592, 2, 2, 3, ""),
        (512110190592, 2, 3, 2, ""),
        (512110190592, 13, 94, 100, ""),
        (512110190592, 13, 100, 99, ""),
        (1000204886016, 2, 0, 0, "pq"),
        (700204886016, 4, 50, 43, ""),
        (700204886016, 4, 51, 43, "nopq"),
        (700204886016, 4, 51, 42, ""),
        # Here several sets fit, and the earlier system took the disks whose size was nearest.
        (19990, 2, 1, 1, ""),
        (199900, 2, 1, 100, ""),
        (512110190592, 13, 100, 100, ""),
    ],
)
def test_sets_of_disks(size: int, count: int, set_tolerance: int, tolerance: int, chosen: str) -> None:
    """Values of the earlier Go system's tests (pkg/recovery/disk); "" if no set is chosen."""
    spec = TargetSpec(count, size, set_tolerance, tolerance)
    if chosen:
        assert [found.name for found in choose_targets(SET, {}, spec).chosen] == [f"sd{letter}" for letter in chosen]
    else:
        with pytest.raises(HardwareMismatch):
            choose_targets(SET, {}, spec)
