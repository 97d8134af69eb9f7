"""Units whose PRIMARY is a software RAID array: restored, cut, without some of their disks, with others' disks."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk, FakeMember
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import FLAG, NORMAL, UnitDriver

LEVELS = {RaidLevel.RAID0: 2, RaidLevel.RAID1: 2, RaidLevel.RAID10: 4, RaidLevel.RAID5: 3, RaidLevel.RAID6: 4}
# How many disks may always be missing.
SPARE = {RaidLevel.RAID0: 0, RaidLevel.RAID1: 1, RaidLevel.RAID10: 1, RaidLevel.RAID5: 1, RaidLevel.RAID6: 2}


def raid(level: RaidLevel, firmware: FirmwareKind = FirmwareKind.UEFI) -> UnitDriver:
    """A running unit with an array of this level, with as many disks as ``LEVELS`` names."""
    return units.running(firmware=firmware, level=level, disks=LEVELS[level])


def with_newer_image(unit: UnitDriver) -> UnitDriver:
    unit.add_image(kernel=101, files={"etc/newer": b"yes"})
    return unit


def data_disks(unit: UnitDriver) -> list[FakeDisk]:
    return [disk for disk in unit.machine.disks if disk.serial.startswith("primary")]


def pull(unit: UnitDriver, *indices: int) -> list[FakeDisk]:
    """Take data disks out of a machine that is off."""
    pulled = [data_disks(unit)[index] for index in indices]
    for disk in pulled:
        unit.machine.disks.remove(disk)
    return pulled


def replace_by_blank(unit: UnitDriver, *indices: int) -> None:
    for index in indices:
        disk = data_disks(unit)[index]
        disk.table, disk.partitions, disk.serial = None, [], f"primary{index}-new"


def member(disk: FakeDisk) -> FakeMember:
    found = disk.partitions[-1].member
    assert found is not None
    return found


# --- whole units ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_restored_unit_has_its_root_on_one_array_of_all_data_disks(level: RaidLevel) -> None:
    unit = raid(level)
    [array] = unit.machine.arrays()
    assert array.name == "gp-sim0001:PRIMARY"
    assert array.level == level.value
    members = [member(disk) for disk in data_disks(unit)]
    assert [one.slot for one in members] == list(range(LEVELS[level]))
    assert all(one.array is array for one in members)
    assert [volume.label for volume in unit.machine.volumes()].count("PRIMARY") == 1
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "degraded" not in unit.log()
    [running] = unit.machine.running
    assert len(running.members) == LEVELS[level]


def test_a_restored_system_has_its_array_in_mdadm_conf() -> None:
    unit = raid(RaidLevel.RAID1)
    config = unit.read("PRIMARY", "/etc/mdadm/mdadm.conf").decode()
    assert unit.machine.arrays()[0].uuid.replace("-", "") in config.replace(":", "")


def test_each_restore_makes_a_new_array() -> None:
    unit = raid(RaidLevel.RAID1)
    before = unit.machine.arrays()[0].uuid
    unit.choose_restore()
    assert unit.settle() == ("reboot", "switched root")
    [array] = unit.machine.arrays()
    assert array.uuid != before


# --- cuts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "torn"), [*((level, False) for level in LEVELS), (RaidLevel.RAID1, True), (RaidLevel.RAID5, True)]
)
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(level: RaidLevel, torn: bool) -> None:
    updated = with_newer_image(raid(level))
    updated.remove_flag()
    copy = updated.copy()
    copy.settle()
    expected = copy.files("PRIMARY")
    assert "/etc/newer" in expected
    names = updated.operations()
    assert len([name for name in names if "superblock" in name and "under way" not in name]) == 2 * LEVELS[level]
    changing = ("/etc/mdadm/mdadm.conf", "/etc/provisioning/array.json")  # each array has a UUID of its own
    for name, unit in updated.cut_everywhere(torn=torn):
        got = unit.files("PRIMARY")
        assert set(got) == set(expected), f"cut at {name}"
        assert [path for path in got if got[path] != expected[path] and path not in changing] == [], f"cut at {name}"
        assert len(unit.machine.arrays()) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(level: RaidLevel) -> None:
    requested = with_newer_image(raid(level))
    requested.choose_restore()
    ends = [unit.exists("PRIMARY", "/etc/newer") for _, unit in requested.cut_everywhere()]
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


@pytest.mark.parametrize("level", [RaidLevel.RAID1, RaidLevel.RAID5])
def test_a_restore_on_bios_that_is_cut_anywhere_ends_in_the_whole_system(level: RaidLevel) -> None:
    """Boot partitions on the same disks must not pass for foreign data when the array is gone."""
    flagless = raid(level, FirmwareKind.BIOS)
    flagless.remove_flag()
    copy = flagless.copy()
    copy.settle()
    expected = set(copy.files("PRIMARY"))
    for name, unit in flagless.cut_everywhere():
        assert set(unit.files("PRIMARY")) == expected, f"cut at {name}"


def test_a_used_unit_on_bios_that_is_provisioned_anew_survives_a_cut_between_new_members() -> None:
    """Clearing both ends of a disk leaves the superblock of its second partition, which comes back with it."""
    used = raid(RaidLevel.RAID1, FirmwareKind.BIOS)
    assert used.provision() is StopReason.REBOOT
    names = used.operations()
    cuts = [at for at, name in enumerate(names) if "RAID superblock" in name]
    assert len(cuts) >= 4
    for at in cuts:
        unit = used.copy()
        unit.cut(at)
        assert unit.settle()[-1] == "switched root", f"cut at {names[at]}"


@pytest.mark.parametrize("index", [0, 1])
def test_on_bios_either_disk_alone_starts_the_unit(index: int) -> None:
    unit = raid(RaidLevel.RAID1, FirmwareKind.BIOS)
    pull(unit, index)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert len(unit.machine.running[0].members) == 1


# --- missing disks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "index"), [(level, index) for level, disks in LEVELS.items() for index in range(disks) if SPARE[level]]
)
def test_with_one_disk_missing_a_redundant_unit_boots_and_reports_which(level: RaidLevel, index: int) -> None:
    unit = raid(level)
    pull(unit, index)
    old = unit.files("PRIMARY")
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.files("PRIMARY") == old
    assert 30 <= unit.machine.clock.monotonic() < 45
    warnings = unit.warnings()
    assert "is degraded" in warnings
    assert f"slot {index} (QEMU HARDDISK_primary{index}" in warnings
    assert any(f"primary{index}" in message for message in unit.machine.messages)
    # From now on it is known that the disk is missing: the next start does not wait for it.
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() < 1


def test_raid_6_boots_without_two_disks_and_raid_10_without_one_of_each_pair() -> None:
    for level, gone in ((RaidLevel.RAID6, (0, 3)), (RaidLevel.RAID10, (0, 2))):
        unit = raid(level)
        pull(unit, *gone)
        assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize(
    ("level", "gone"),
    [
        (RaidLevel.RAID0, (0,)),
        (RaidLevel.RAID0, (0, 1)),
        (RaidLevel.RAID1, (0, 1)),
        (RaidLevel.RAID5, (1, 2)),
        (RaidLevel.RAID6, (0, 1, 2)),
        (RaidLevel.RAID10, (2, 3)),
    ],
)
def test_with_too_many_disks_missing_nothing_is_restored_and_the_reason_is_shown(
    level: RaidLevel, gone: tuple[int, ...]
) -> None:
    unit = raid(level)
    pulled = pull(unit, *gone)
    before = unit.machine.media_state()
    for _ in range(3):
        assert unit.boot() is StopReason.REBOOT
    assert unit.machine.media_state() == before
    shown = unit.machine.messages[-1]
    assert f"{LEVELS[level] - len(gone)} of {LEVELS[level]} data disks present" in shown
    if len(gone) < LEVELS[level]:
        assert "is failed" in shown
        assert all(str(index) in shown.partition("missing slot")[2] for index in gone)
    assert "FR_STARTED" not in unit.log()
    unit.machine.disks += pulled
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_a_member_that_comes_late_is_waited_for() -> None:
    for level in LEVELS:
        unit = raid(level)
        data_disks(unit)[1].appears_at = 25.0
        assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
        assert 25 <= unit.machine.clock.monotonic() < 26
        assert unit.warnings() == ""


def test_missing_members_are_waited_for_as_long_as_the_argument_says() -> None:
    unit = raid(RaidLevel.RAID1)
    pull(unit, 0)
    assert unit.boot({**NORMAL, "PROVISION_ARRAY_WAIT": "5"}) is StopReason.SWITCHED_ROOT
    assert 5 <= unit.machine.clock.monotonic() < 6


def test_a_member_with_older_data_does_not_rejoin_its_array_by_itself() -> None:
    """The running system's own tools may add it again; the next restore does."""
    unit = raid(RaidLevel.RAID1)
    [pulled] = pull(unit, 0)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    unit.machine.disks.insert(0, pulled)
    events = member(pulled).events
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    [running] = unit.machine.running
    assert len(running.members) == 1
    assert member(pulled).events == events
    assert "is degraded; disk not up to date: /dev/sda1" in unit.warnings()


def test_two_members_that_each_ran_alone_are_never_put_together() -> None:
    unit = raid(RaidLevel.RAID1)
    [first] = pull(unit, 0)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    [second] = pull(unit, 0)
    unit.machine.disks.insert(0, first)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    unit.machine.disks.insert(1, second)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert len(unit.machine.running[0].members) == 1


# --- other disks ------------------------------------------------------------------------------------------------------


def test_a_unit_whose_disks_are_all_replaced_by_blank_ones_is_restored() -> None:
    unit = raid(RaidLevel.RAID1)
    replace_by_blank(unit, 0, 1)
    assert unit.settle() == ("reboot", "switched root")


def test_a_unit_with_one_disk_replaced_by_a_blank_one_boots_degraded() -> None:
    unit = raid(RaidLevel.RAID5)
    replace_by_blank(unit, 1)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "slot 1" in unit.warnings()


def test_a_unit_with_too_many_disks_replaced_by_blank_ones_is_restored_after_the_deadline() -> None:
    """All data disks are there and were read, and the array can never run again: like one disk without its system."""
    unit = raid(RaidLevel.RAID5)
    replace_by_blank(unit, 0, 1)
    assert unit.settle() == ("reboot", "switched root")
    unit = raid(RaidLevel.RAID5)
    replace_by_blank(unit, 0)
    pull(unit, 1)
    assert set(unit.settle(most=2)) == {"reboot"}
    assert "FR_STARTED" not in unit.log()


def foreign(level: RaidLevel, name: str) -> FakeDisk:
    """The first disk of another unit's array."""
    other = raid(level)
    disk = data_disks(other)[0]
    member(disk).array.uuid = "ffffffff-0000-0000-0000-000000000000"
    member(disk).array.name = name
    return disk


def test_a_disk_of_another_unit_does_not_get_into_the_array() -> None:
    unit = raid(RaidLevel.RAID1)
    pull(unit, 0)
    disk = foreign(RaidLevel.RAID1, "gp-other:PRIMARY")
    unit.machine.disks.insert(0, disk)
    before = member(disk).events
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    [running] = unit.machine.running
    assert running.array.name == "gp-sim0001:PRIMARY"
    assert len(running.members) == 1
    assert member(disk).events == before


@pytest.mark.parametrize("plain", [False, True])
def test_a_used_disk_without_flag_file_is_no_reason_to_wipe_the_units_own(plain: bool) -> None:
    """It took the place of a disk of the array, which now waits for that one: all data disks seem to be there."""
    unit = raid(RaidLevel.RAID1)
    unit.put("PRIMARY", "/srv/data", b"years of work")
    disk = foreign(RaidLevel.RAID1, "gp-other:PRIMARY")
    if plain:
        found = disk.partitions[-1]
        found.volume, found.member = member(disk).array.device.volume, None
        assert found.volume is not None
        found.volume.current.drop(FLAG)
        found.volume.sync()
    else:
        drop_flag_of_the_last_member(disk)
    disk.serial = "used"
    pull(unit, 0)
    unit.machine.disks.insert(0, disk)
    unit.boot()
    assert "factory restore:" not in unit.log()
    [own] = [array for array in unit.machine.arrays() if array.name == "gp-sim0001:PRIMARY"]
    assert own.device.volume is not None
    assert own.device.volume.current.get("/srv/data") is not None


def drop_flag_of_the_last_member(disk: FakeDisk) -> None:
    """The other disks of its array were gone before: it is complete without them."""
    last = member(disk)
    last.active = frozenset({last.slot})
    volume = last.array.device.volume
    assert volume is not None
    volume.current.drop(FLAG)
    volume.sync()


@pytest.mark.parametrize("known", [False, True])
def test_the_last_disk_of_another_units_array_does_not_keep_the_unit_from_its_own(known: bool) -> None:
    """That array is complete without the disks that it lost before; ``known``: so is the unit's own."""
    unit = raid(RaidLevel.RAID1)
    pull(unit, 0)
    if known:
        assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    disk = foreign(RaidLevel.RAID1, "gp-other:PRIMARY")
    member(disk).active = frozenset({member(disk).slot})
    disk.serial = "used"
    unit.machine.disks.insert(0, disk)
    unit.machine.restart()
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "RAID 1 array gp-sim0001:PRIMARY is degraded" in unit.machine.messages[-1]
    assert unit.machine.clock.monotonic() < (5 if known else 45)


def test_members_of_two_other_units_arrays_alone_start_no_array() -> None:
    unit = raid(RaidLevel.RAID1)
    pull(unit, 0, 1)
    for number, name in enumerate(("gp-one:PRIMARY", "gp-two:PRIMARY")):
        disk = foreign(RaidLevel.RAID1, name)
        disk.name, disk.serial = f"sd{number}", f"primary{number}"
        member(disk).array.uuid = f"ffffffff-0000-0000-0000-00000000000{number}"
        unit.machine.disks.append(disk)
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert "more than one incomplete array" in unit.machine.messages[-1]


def test_an_array_of_another_name_is_left_alone() -> None:
    unit = raid(RaidLevel.RAID1)
    for disk in data_disks(unit):
        member(disk).array.name = "store:DATA"
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.running == []
    assert unit.machine.media_state() == before
    assert "left alone: array store:DATA" in unit.lines()
    assert "member of an array that does not run" in unit.machine.messages[-1]


def test_members_on_usb_disks_start_no_array() -> None:
    unit = raid(RaidLevel.RAID1)
    pulled = pull(unit, 0, 1)
    for disk in pulled:
        stick = deepcopy(disk)
        stick.bus = type(stick.bus).USB
        unit.machine.disks.append(stick)
    assert unit.boot() is StopReason.REBOOT
    assert "starting array" not in unit.log()


def test_used_disks_of_an_array_become_a_single_disk() -> None:
    """A restore of a unit with one disk takes apart what is on it."""
    single = units.blank()
    single.machine.disks[0] = deepcopy(data_disks(raid(RaidLevel.RAID1))[0])
    assert single.provision() is StopReason.REBOOT
    assert single.settle() == ("reboot", "switched root")
    assert single.machine.arrays() == ()


def test_disks_that_are_too_few_for_the_level_are_refused_before_anything_is_written() -> None:
    unit = units.blank(level=RaidLevel.RAID5, disks=2)
    before = unit.machine.media_state()
    assert "needs at least 3 disks" in str(unit.provision_fails())
    assert unit.machine.media_state() == before
    assert data_disks(unit)[0].size == 20 * GIB
