"""Units whose PRIMARY is a software RAID array: restored, cut, without some of their disks, with others' disks."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.firmware.uefi import choose_entry
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeDisk, FakeMember, Node
from gprov.apps.host.simulation.cuts import cut_at, operations_of, settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.events import LogLine, Severity
from gprov.domain.files import FileType
from gprov.domain.platform.model import RaidLevel

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
FLAG = "/boot.normal"
NORMAL = {"real_root": "LABEL=PRIMARY"}
LEVELS = {RaidLevel.RAID0: 2, RaidLevel.RAID1: 2, RaidLevel.RAID10: 4, RaidLevel.RAID5: 3, RaidLevel.RAID6: 4}
# How many disks may always be missing.
SPARE = {RaidLevel.RAID0: 0, RaidLevel.RAID1: 1, RaidLevel.RAID10: 1, RaidLevel.RAID5: 1, RaidLevel.RAID6: 2}

Units = dict[RaidLevel, World]


def content(world: World, label: str) -> dict[str, Node | None]:
    """Without the count of starts, which cuts only delay."""
    tree = world.machine.tree(label)
    return {path: tree.get(path) for path in tree.paths() if not path.endswith(("/boots_started", "_budget.json"))}


def restored(level: RaidLevel, disks: int, firmware: FirmwareKind = FirmwareKind.UEFI) -> World:
    world = new_world(level=level, disks=disks, firmware=firmware)
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture(scope="module")
def units() -> Units:
    return {level: restored(level, disks) for level, disks in LEVELS.items()}


def unit(units: Units, level: RaidLevel) -> World:
    world = deepcopy(units[level])
    world.sinks = (MemorySink(),)
    return world


def with_newer_image(world: World) -> World:
    kernel = build_kernel(101)
    image = build_image(kernel, extra={"etc/newer": b"yes"})
    world.machine.tree("RECOVERY").put(f"/Image/{NEWER}", Node(type=FileType.FILE, content=image))
    world.machine.flush()
    return world


def said(world: World, *severities: Severity) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    bodies = [event.body for event in sink.events]
    return "\n".join(
        body.text for body in bodies if isinstance(body, LogLine) and (not severities or body.severity in severities)
    )


def data_disks(world: World) -> list[FakeDisk]:
    return [disk for disk in world.machine.disks if disk.serial.startswith("primary")]


def pull(world: World, *indices: int) -> list[FakeDisk]:
    """Take data disks out of a machine that is off."""
    pulled = [data_disks(world)[index] for index in indices]
    for disk in pulled:
        world.machine.disks.remove(disk)
    return pulled


def replace_by_blank(world: World, *indices: int) -> None:
    for index in indices:
        disk = data_disks(world)[index]
        disk.table, disk.partitions, disk.serial = None, [], f"primary{index}-new"


def member(disk: FakeDisk) -> FakeMember:
    found = disk.partitions[-1].member
    assert found is not None
    return found


# --- whole units ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_restored_unit_has_its_root_on_one_array_of_all_data_disks(units: Units, level: RaidLevel) -> None:
    world = unit(units, level)
    [array] = world.machine.arrays()
    assert array.name == "gp-sim0001:PRIMARY"
    assert array.level == level.value
    members = [member(disk) for disk in data_disks(world)]
    assert [one.slot for one in members] == list(range(LEVELS[level]))
    assert all(one.array is array for one in members)
    assert [volume.label for volume in world.machine.volumes()].count("PRIMARY") == 1
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert "degraded" not in said(world)
    [running] = world.machine.running
    assert len(running.members) == LEVELS[level]


def test_the_image_is_told_about_its_array(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    tree = world.machine.tree("PRIMARY")
    config = tree.get("/etc/mdadm/mdadm.conf")
    assert config is not None
    assert world.machine.arrays()[0].uuid.replace("-", "") in config.content.decode().replace(":", "")


def test_each_restore_makes_a_new_array(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    before = world.machine.arrays()[0].uuid
    choose_entry(world.machine, world.branding.restore_entry)
    assert settle(world) == ("reboot", "switched root")
    [array] = world.machine.arrays()
    assert array.uuid != before


# --- cuts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "torn"), [*((level, False) for level in LEVELS), (RaidLevel.RAID1, True), (RaidLevel.RAID5, True)]
)
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(
    units: Units, level: RaidLevel, torn: bool
) -> None:
    updated = with_newer_image(deepcopy(units[level]))
    updated.machine.tree("PRIMARY").drop(FLAG)
    updated.machine.flush()
    settle(copy := deepcopy(updated))
    expected = content(copy, "PRIMARY")
    assert "/etc/newer" in expected
    names = operations_of(copy := deepcopy(updated), copy.boot)
    assert len([name for name in names if "superblock" in name and "under way" not in name]) == 2 * LEVELS[level]
    for at, name in enumerate(names):
        world = deepcopy(updated)
        world.machine.torn_cuts = torn
        assert cut_at(world, world.boot, at) == name
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        got = content(world, "PRIMARY")
        assert set(got) == set(expected), f"cut at {name}"
        changing = ("/etc/mdadm/mdadm.conf", "/etc/provisioning/array.json")  # each array has a UUID of its own
        assert [path for path in got if got[path] != expected[path] and path not in changing] == [], f"cut at {name}"
        assert len(world.machine.arrays()) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(
    units: Units, level: RaidLevel
) -> None:
    requested = with_newer_image(deepcopy(units[level]))
    choose_entry(requested.machine, requested.branding.restore_entry)
    names = operations_of(copy := deepcopy(requested), copy.boot)
    ends = []
    for at, name in enumerate(names):
        world = deepcopy(requested)
        cut_at(world, world.boot, at)
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        ends.append("/etc/newer" in content(world, "PRIMARY"))
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


@pytest.mark.parametrize("level", [RaidLevel.RAID1, RaidLevel.RAID5])
def test_a_restore_on_bios_that_is_cut_anywhere_ends_in_the_whole_system(level: RaidLevel) -> None:
    """Boot partitions on the same disks: they must not pass for somebody's data when the array is gone."""
    running = restored(level, LEVELS[level], FirmwareKind.BIOS)
    running.machine.tree("PRIMARY").drop(FLAG)
    running.machine.flush()
    settle(copy := deepcopy(running))
    expected = set(content(copy, "PRIMARY"))
    names = operations_of(copy := deepcopy(running), copy.boot)
    for at, name in enumerate(names):
        world = deepcopy(running)
        assert cut_at(world, world.boot, at) == name
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        assert set(content(world, "PRIMARY")) == expected, f"cut at {name}"


def test_a_used_unit_on_bios_that_is_provisioned_anew_survives_a_cut_between_new_members() -> None:
    """Clearing both ends of a disk leaves the superblock of its second partition, which comes back with it."""
    used = restored(RaidLevel.RAID1, 2, FirmwareKind.BIOS)
    assert used.provision() is Stop.REBOOT
    names = operations_of(copy := deepcopy(used), copy.boot)
    cuts = [at for at, name in enumerate(names) if "RAID superblock" in name]
    assert len(cuts) >= 4
    for at in cuts:
        world = deepcopy(used)
        cut_at(world, world.boot, at)
        assert settle(world)[-1] == "switched root", f"cut at {names[at]}"


@pytest.mark.parametrize("index", [0, 1])
def test_on_bios_either_disk_alone_starts_the_unit(index: int) -> None:
    world = restored(RaidLevel.RAID1, 2, FirmwareKind.BIOS)
    pull(world, index)
    assert world.boot() is Stop.SWITCHED_ROOT
    assert len(world.machine.running[0].members) == 1


# --- missing disks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "index"), [(level, index) for level, disks in LEVELS.items() for index in range(disks) if SPARE[level]]
)
def test_without_any_one_disk_a_redundant_unit_boots_and_says_which(units: Units, level: RaidLevel, index: int) -> None:
    world = unit(units, level)
    pull(world, index)
    old = content(world, "PRIMARY")
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert content(world, "PRIMARY") == old
    assert 30 <= world.machine.clock.monotonic() < 45
    warnings = said(world, Severity.WARNING)
    assert "is degraded" in warnings
    assert f"slot {index} (QEMU HARDDISK_primary{index}" in warnings
    assert any(f"primary{index}" in message for message in world.machine.messages)
    # From now on it is known that the disk is missing: the next start does not wait for it.
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() < 1


def test_raid_6_boots_without_two_and_raid_10_without_one_of_each_pair(units: Units) -> None:
    for level, gone in ((RaidLevel.RAID6, (0, 3)), (RaidLevel.RAID10, (0, 2))):
        world = unit(units, level)
        pull(world, *gone)
        assert world.boot(NORMAL) is Stop.SWITCHED_ROOT


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
def test_without_too_many_disks_nothing_is_restored_and_the_reason_is_shown(
    units: Units, level: RaidLevel, gone: tuple[int, ...]
) -> None:
    world = unit(units, level)
    pulled = pull(world, *gone)
    before = world.machine.storage()
    for _ in range(3):
        assert world.boot() is Stop.REBOOT
    assert world.machine.storage() == before
    shown = world.machine.messages[-1]
    assert f"{LEVELS[level] - len(gone)} of {LEVELS[level]} data disks present" in shown
    if len(gone) < LEVELS[level]:
        assert "is failed" in shown
        assert all(str(index) in shown.partition("missing slot")[2] for index in gone)
    assert "FR_STARTED" not in said(world)
    world.machine.disks += pulled
    assert world.boot() is Stop.SWITCHED_ROOT


def test_a_member_that_comes_late_is_waited_for(units: Units) -> None:
    for level in LEVELS:
        world = unit(units, level)
        data_disks(world)[1].appears_at = 25.0
        assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
        assert 25 <= world.machine.clock.monotonic() < 26
        assert said(world, Severity.WARNING) == ""


def test_how_long_is_an_argument(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    pull(world, 0)
    assert world.boot({**NORMAL, "PROVISION_ARRAY_WAIT": "5"}) is Stop.SWITCHED_ROOT
    assert 5 <= world.machine.clock.monotonic() < 6


def test_a_member_that_was_left_behind_does_not_come_back_by_itself(units: Units) -> None:
    """It holds older data. Whoever looks after the system decides; the next restore takes it in again."""
    world = unit(units, RaidLevel.RAID1)
    [pulled] = pull(world, 0)
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    world.machine.disks.insert(0, pulled)
    events = member(pulled).events
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    [running] = world.machine.running
    assert len(running.members) == 1
    assert member(pulled).events == events
    assert "is degraded; disk not up to date: /dev/sda1" in said(world, Severity.WARNING)


def test_two_members_that_each_ran_alone_are_never_put_together(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    [first] = pull(world, 0)
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    [second] = pull(world, 0)
    world.machine.disks.insert(0, first)
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    world.machine.disks.insert(1, second)
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert len(world.machine.running[0].members) == 1


# --- other disks ------------------------------------------------------------------------------------------------------


def test_blank_disks_in_place_of_all_are_restored_to_at_once(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    replace_by_blank(world, 0, 1)
    assert settle(world) == ("reboot", "switched root")


def test_a_blank_disk_in_place_of_one_boots_degraded(units: Units) -> None:
    world = unit(units, RaidLevel.RAID5)
    replace_by_blank(world, 1)
    assert world.boot() is Stop.SWITCHED_ROOT
    assert "slot 1" in said(world, Severity.WARNING)


def test_blank_disks_in_place_of_too_many_are_restored_to_after_the_deadline(units: Units) -> None:
    """All data disks are there and were read, and the array can never run again: like one disk without its system."""
    world = unit(units, RaidLevel.RAID5)
    replace_by_blank(world, 0, 1)
    assert settle(world) == ("reboot", "switched root")
    world = unit(units, RaidLevel.RAID5)
    replace_by_blank(world, 0)
    pull(world, 1)
    assert set(settle(world, most=2)) == {"reboot"}
    assert "FR_STARTED" not in said(world)


def foreign(units: Units, level: RaidLevel, name: str) -> FakeDisk:
    """The first disk of another unit's array."""
    other = deepcopy(units[level])
    disk = data_disks(other)[0]
    member(disk).array.uuid = "ffffffff-0000-0000-0000-000000000000"
    member(disk).array.name = name
    return disk


def test_a_disk_of_another_unit_does_not_get_into_the_array(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    pull(world, 0)
    disk = foreign(units, RaidLevel.RAID1, "gp-other:PRIMARY")
    world.machine.disks.insert(0, disk)
    before = member(disk).events
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    [running] = world.machine.running
    assert running.array.name == "gp-sim0001:PRIMARY"
    assert len(running.members) == 1
    assert member(disk).events == before


@pytest.mark.parametrize("plain", [False, True])
def test_a_used_disk_without_flag_file_is_no_reason_to_wipe_the_units_own(units: Units, plain: bool) -> None:
    """It took the place of a disk of the array, which now waits for that one: all data disks seem to be there."""
    world = unit(units, RaidLevel.RAID1)
    world.machine.tree("PRIMARY").put("/srv/data", Node(type=FileType.FILE, content=b"years of work"))
    world.machine.flush()
    disk = foreign(units, RaidLevel.RAID1, "gp-other:PRIMARY")
    if plain:
        found = disk.partitions[-1]
        found.volume, found.member = member(disk).array.device.volume, None
        assert found.volume is not None
        found.volume.current.drop(FLAG)
        found.volume.sync()
    else:
        drop_flag_of_the_last_member(disk)
    disk.serial = "used"
    pull(world, 0)
    world.machine.disks.insert(0, disk)
    world.boot()
    assert "factory restore:" not in said(world)
    [own] = [array for array in world.machine.arrays() if array.name == "gp-sim0001:PRIMARY"]
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
def test_the_last_disk_of_another_units_array_does_not_keep_the_unit_from_its_own(units: Units, known: bool) -> None:
    """That array is complete without the disks that it lost before; ``known``: so is the unit's own."""
    world = unit(units, RaidLevel.RAID1)
    pull(world, 0)
    if known:
        assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    disk = foreign(units, RaidLevel.RAID1, "gp-other:PRIMARY")
    member(disk).active = frozenset({member(disk).slot})
    disk.serial = "used"
    world.machine.disks.insert(0, disk)
    world.machine.restart()
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert "RAID 1 array gp-sim0001:PRIMARY is degraded" in world.machine.messages[-1]
    assert world.machine.clock.monotonic() < (5 if known else 45)


def test_between_two_halves_of_others_nobody_chooses(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    pull(world, 0, 1)
    for number, name in enumerate(("gp-one:PRIMARY", "gp-two:PRIMARY")):
        disk = foreign(units, RaidLevel.RAID1, name)
        disk.name, disk.serial = f"sd{number}", f"primary{number}"
        member(disk).array.uuid = f"ffffffff-0000-0000-0000-00000000000{number}"
        world.machine.disks.append(disk)
    before = world.machine.storage()
    assert world.boot() is Stop.REBOOT
    assert world.machine.storage() == before
    assert "more than one incomplete array" in world.machine.messages[-1]


def test_an_array_of_another_name_is_left_alone(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    for disk in data_disks(world):
        member(disk).array.name = "store:DATA"
    before = world.machine.storage()
    assert world.boot() is Stop.REBOOT
    assert world.machine.running == []
    assert world.machine.storage() == before
    assert "left alone: array store:DATA" in said(world)
    assert "member of an array that does not run" in world.machine.messages[-1]


def test_members_on_sticks_do_not_count(units: Units) -> None:
    world = unit(units, RaidLevel.RAID1)
    pulled = pull(world, 0, 1)
    for disk in pulled:
        stick = deepcopy(disk)
        stick.bus = type(stick.bus).USB
        world.machine.disks.append(stick)
    assert world.boot() is Stop.REBOOT
    assert "starting array" not in said(world)


def test_used_disks_of_an_array_become_a_single_disk(units: Units) -> None:
    """A restore of a unit with one disk takes apart what is on it."""
    single = new_world()
    single.machine.disks[0] = deepcopy(data_disks(unit(units, RaidLevel.RAID1))[0])
    assert single.provision() is Stop.REBOOT
    assert settle(single) == ("reboot", "switched root")
    assert single.machine.arrays() == ()


def test_disks_that_are_too_few_for_the_level_are_refused_before_anything_is_written() -> None:
    world = new_world(level=RaidLevel.RAID5, disks=2)
    before = world.machine.storage()
    with pytest.raises(Exception, match="needs at least 3 disks"):
        world.provision()
    assert world.machine.storage() == before
    assert data_disks(world)[0].size == 20 * GIB
