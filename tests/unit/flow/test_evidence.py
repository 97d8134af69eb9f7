"""Everything that looks like a unit without its system but is not: nothing may be wiped for it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import NoReturn

import pytest
from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.menu import ITEMS, Item
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import DeviceFault
from gprov.domain.events import LogLine, Severity
from gprov.domain.formats.efi.variables import Variable, VariableName

FLAG = "/boot.normal"
NORMAL = {"real_root": "LABEL=PRIMARY"}
NEVER = 1e9


@pytest.fixture(scope="module")
def running() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture
def world(running: World) -> World:
    copy = deepcopy(running)
    copy.sinks = (MemorySink(),)
    return copy


def said(world: World, *severities: Severity) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    bodies = [event.body for event in sink.events]
    return "\n".join(
        body.text for body in bodies if isinstance(body, LogLine) and (not severities or body.severity in severities)
    )


def errors(world: World) -> str:
    return said(world, Severity.ERROR)


def copy_of_primary(world: World, size: int, bus: Bus, *, flag: bool = False) -> FakeDisk:
    """Another disk with a volume labelled PRIMARY."""
    disk = world.machine.add_disk(size, bus=bus, serial="copy")
    original = world.machine.disks[0]
    disk.partitions, disk.table = deepcopy(original.partitions), original.table
    disk.partitions[0].device = type(disk.device)(8, 99)
    disk.partitions[0].uuid = world.machine.new_uuid()
    if not flag:
        disk.volumes()[0].current.drop(FLAG)
        disk.volumes()[0].sync()
    return disk


def primary(world: World) -> FakeVolume:
    return world.machine.disks[0].volumes()[0]


def fails_at(operations: str, until: float, world: World) -> Callable[[str], None]:
    """A hook: these operations fail until so many seconds after power-on."""

    def hook(operation: str) -> None:
        if operation.startswith(operations) and world.machine.clock.monotonic() < until:
            raise DeviceFault(operation, "input/output error")

    return hook


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("damaged", [True, False])
def test_a_stick_labelled_primary_before_a_slow_disk(world: World, flag: bool, damaged: bool) -> None:
    stick = copy_of_primary(world, 8 * GIB, Bus.USB, flag=flag)
    stick.volumes()[0].damaged = damaged
    world.machine.disks[0].appears_at = 5.0
    before, writes = world.machine.storage(), [disk.writes for disk in world.machine.disks]
    names = operations_of(copy := deepcopy(world), lambda: copy.boot(NORMAL))
    assert not [name for name in names if stick.name in name]
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == pytest.approx(5, abs=3)
    assert world.machine.mounts[-1].volume is primary(world)
    assert world.machine.storage() == before
    assert [disk.writes for disk in world.machine.disks] == writes


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("slow", [0.0, 2.0, 20.0])
def test_a_damaged_disk_goes_and_the_units_own_gets_its_name_and_number(
    world: World, slow: float, failing: int
) -> None:
    """What was tried and found on the one says nothing about the other, which fails so often before it mounts."""
    machine, own = world.machine, world.machine.disks[0]
    other = copy_of_primary(world, 50 * GIB, Bus.ATA)
    other.name, other.device, other.partitions[0].device = own.name, own.device, own.partitions[0].device
    other.volumes()[0].damaged, other.volumes()[0].repairable = True, False
    machine.disks.remove(own)
    tries = 0

    def hook(operation: str) -> None:
        nonlocal tries
        tries += operation.startswith("mount /dev/sda1")
        # After the check and a first look at what it changed.
        if tries == 3 and own not in machine.disks:
            machine.disks.remove(other)
            machine.disks.insert(0, own)
            own.appears_at = machine.clock.monotonic() + slow
            raise DeviceFault("/dev/sda1", "input/output error")
        if 3 < tries <= 3 + failing and operation.startswith("mount /dev/sda1"):
            raise DeviceFault("/dev/sda1", "input/output error")

    machine.hook = hook
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert "/dev/sda1 is beyond repair" in said(world)
    assert machine.mounts[-1].volume is primary(world)


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("size", [8 * GIB, 20 * GIB])
def test_a_stick_labelled_primary_and_no_disk(world: World, size: int, flag: bool) -> None:
    copy_of_primary(world, size, Bus.USB, flag=flag)
    world.machine.disks[0].appears_at = NEVER
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    assert "/dev/sdc1 is on a disk that is no data disk of the platform: it is attached by USB" in errors(world)


@pytest.mark.parametrize("damaged", [True, False])
def test_another_unit_s_disk_of_another_size_before_a_slow_disk(world: World, damaged: bool) -> None:
    other = copy_of_primary(world, 40 * GIB, Bus.ATA).volumes()[0]
    other.damaged, other.repairable = damaged, not damaged
    world.machine.disks[0].appears_at = 5.0
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert world.machine.mounts[-1].volume is primary(world)
    assert world.machine.storage() == before


@pytest.mark.parametrize("bus", [Bus.USB, Bus.ATA])
@pytest.mark.parametrize("flag", [True, False])
def test_a_dead_disk_and_another_of_the_same_size_with_data(world: World, bus: Bus, flag: bool) -> None:
    """Only of a built-in one the unit knows no better than that it may be its own."""
    other = copy_of_primary(world, 20 * GIB, bus, flag=True)
    other.volumes()[0].label = "HOLIDAYS"
    world.machine.disks[0].appears_at = NEVER
    if not flag:
        primary(world).current.drop(FLAG)
        primary(world).sync()
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    assert "the root does not appear" in errors(world)


def test_a_blank_stick_of_the_same_size_is_not_the_data_disk(world: World) -> None:
    world.machine.add_disk(20 * GIB, bus=Bus.USB, serial="stick")
    world.machine.disks[0].appears_at = NEVER
    assert world.boot(NORMAL) is Stop.REBOOT
    assert "0 of 1 data disks present: none" in errors(world)
    assert world.machine.disks[2].writes == 0


@pytest.mark.parametrize(("change", "named"), [("ambivalent", "more than one signature"), ("relabelled", "'OTHER'")])
def test_a_primary_that_is_not_recognised(world: World, change: str, named: str) -> None:
    if change == "ambivalent":
        primary(world).ambivalent = True
    else:
        primary(world).label = "OTHER"
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    assert named in errors(world)
    assert named in "".join(world.machine.messages)


def test_who_wants_none_of_that_data_restores_by_the_menu(world: World) -> None:
    primary(world).label = "OTHER"
    world.machine.operator_present = True
    world.machine.keys = ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes"]
    assert world.boot(NORMAL) is Stop.REBOOT
    world.machine.operator_present = False
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT


def test_a_check_that_fails_says_nothing(world: World) -> None:
    primary(world).damaged = True
    world.machine.hook = fails_at("check /dev/sda1", NEVER, world)
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    assert "could not be checked" in errors(world)


def test_a_check_that_fails_on_a_partition_without_file_system_says_nothing(world: World) -> None:
    world.machine.disks[0].partitions[0].volume = None
    world.machine.hook = fails_at("check /dev/sda1", NEVER, world)
    writes = world.machine.disks[0].writes
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.disks[0].writes == writes
    assert "/dev/sda1, where it should be, could not be checked" in errors(world)
    world.machine.hook = None
    assert settle(world) == ("reboot", "switched root")


def test_a_disk_that_tells_another_identity_each_time_is_not_checked_for_ever(world: World) -> None:
    disk, checked = world.machine.disks[0], 0

    def hook(operation: str) -> None:
        nonlocal checked
        checked += operation == "check /dev/sda1"
        assert checked < 100
        if operation in ("mount /dev/sda1", "check /dev/sda1"):
            disk.serial += "x"
            raise DeviceFault(operation, "input/output error")

    world.machine.hook = hook
    assert world.boot(NORMAL) is Stop.REBOOT
    assert checked == 8
    assert "cannot use /dev/sda1: input/output error" in errors(world)


def test_after_a_check_the_data_disks_are_looked_at_anew(world: World) -> None:
    """A check can take hours. Meanwhile another disk that could be the unit's own came."""
    primary(world).damaged, primary(world).repairable = True, False
    other = world.machine.add_disk(20 * GIB, serial="second", appears_at=NEVER)

    def hook(operation: str) -> None:
        if operation == "check /dev/sda1":
            other.appears_at = world.machine.clock.monotonic()

    world.machine.hook = hook
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    assert "the check could not repair it, but 2 of 1 data disks present" in errors(world)


def test_a_disk_that_answers_late_has_time_to_do_so(world: World) -> None:
    """Mounting fails for some seconds, though a check finds nothing wrong."""
    world.machine.hook = fails_at("mount /dev/sda1", 8.0, world)
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == pytest.approx(12, abs=4)


def test_a_disk_that_never_answers_is_given_up_after_three_tries(world: World) -> None:
    tried: list[float] = []

    def hook(operation: str) -> None:
        if operation == "mount /dev/sda1":
            tried.append(world.machine.clock.monotonic())
            raise DeviceFault(operation, "input/output error")

    world.machine.hook = hook
    before = world.machine.storage()
    assert world.boot(NORMAL) is Stop.REBOOT
    assert world.machine.storage() == before
    # The second is the one right after the check.
    assert len(tried) == 4
    assert tried[-1] - tried[0] >= 10


@pytest.mark.parametrize("flag", [True, False])
def test_while_a_key_may_be_pressed_disks_are_not_looked_at_all_the_time(world: World, flag: bool) -> None:
    """Neither one that does not mount, nor one that is unmounted again for want of its flag."""
    primary(world).damaged, primary(world).repairable = flag, not flag
    if not flag:
        primary(world).current.drop(FLAG)
        primary(world).sync()
    world.machine.operator_present = True
    tried: list[float] = []

    def hook(operation: str) -> None:
        if operation == "mount /dev/sda1" and world.machine.clock.monotonic() < 9.9:
            tried.append(world.machine.clock.monotonic())

    world.machine.hook = hook
    assert world.boot(NORMAL) is Stop.REBOOT
    assert 1 <= len(tried) <= 3


def test_a_keyboard_that_comes_late_is_noticed(world: World) -> None:
    world.machine.operator_present, world.machine.operator_at = True, 3.5
    world.machine.disks[0].appears_at = 8.0
    world.machine.keys = ["any", str(ITEMS.index(Item.POWER_OFF)), "yes"]
    assert world.boot(NORMAL) is Stop.POWER_OFF
    assert world.machine.keys == []


def test_who_left_the_menu_is_not_asked_again(world: World) -> None:
    world.machine.operator_present = True
    world.machine.keys = ["any", str(ITEMS.index(Item.RESUME)), "yes"]
    assert world.boot(NORMAL) is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() < 1


def test_a_second_disk_that_is_slower_than_the_first_makes_the_target_ambiguous(world: World) -> None:
    """The one that was seen first is blank; the unit's own comes while the restore begins."""
    world.machine.disks[0].appears_at = NEVER
    blank = world.machine.add_disk(20 * GIB, serial="blank")
    before = world.machine.storage()["sda"]

    def hook(operation: str) -> None:
        if operation == "mount /dev/sdb1":  # the ESP: only a restore mounts it
            world.machine.disks[0].appears_at = min(
                world.machine.disks[0].appears_at, world.machine.clock.monotonic() + 1.0
            )

    world.machine.hook = hook
    assert world.boot(NORMAL) is Stop.REBOOT
    assert "more than one choice: /dev/sda, /dev/sdc" in errors(world)
    assert world.machine.storage()["sda"] == before
    assert blank.writes == 0


def test_variables_that_are_gone_are_nobody_s_wish(world: World) -> None:
    world.machine.nvram.clear()
    before = world.machine.storage()
    assert world.boot({}) is Stop.SWITCHED_ROOT
    assert world.machine.storage() == before


class SilentNvram(dict[VariableName, Variable]):
    """It has variables, but nobody can read them."""

    @override
    def get(self, key: VariableName, default: object = None, /) -> NoReturn:
        raise DeviceFault(key.name, "the firmware reports a device error")


def test_variables_that_cannot_be_read_are_nobody_s_wish(world: World) -> None:
    world.machine.nvram = SilentNvram(world.machine.nvram)
    before = world.machine.storage()
    assert world.boot({}) is Stop.SWITCHED_ROOT
    assert world.machine.storage() == before


def test_no_boot_loader_of_ours_speaks_on_uefi(world: World) -> None:
    """There are no boot files there that it could miss."""
    before = world.machine.storage()
    assert world.boot({**NORMAL, "PROVISION_LOADER_FALLBACK": "1"}) is Stop.SWITCHED_ROOT
    assert world.machine.storage() == before


def test_a_start_without_arguments_by_bios_is_a_wish(world: World) -> None:
    world.machine.firmware = FirmwareKind.BIOS
    world.machine.nvram.clear()
    assert world.boot({}) is Stop.REBOOT
    assert "factory restore: requested by the boot entry" in said(world)
