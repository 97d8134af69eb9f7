"""States that look like a unit without its system, and are not: nothing may be wiped because of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest
from typing_extensions import override

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.efi.variables import Variable, VariableName
from tests.unit.flow.driver import FLAG, NEVER, NORMAL, UnitDriver


def copy_of_primary(unit: UnitDriver, size: int, bus: Bus, *, flag: bool = False) -> FakeDisk:
    """Another disk with a volume labelled PRIMARY, with a UUID of its own."""
    disk = unit.add_copy_of_primary(size, bus)
    disk.partitions[0].uuid = unit.machine.new_uuid()
    if not flag:
        drop_flag(disk.volumes()[0])
    return disk


def drop_flag(volume: FakeVolume) -> None:
    """As ``remove_flag``, of a volume that need not have its label."""
    volume.current.drop(FLAG)
    volume.sync()


def primary(unit: UnitDriver) -> FakeVolume:
    return unit.machine.disks[0].volumes()[0]


def fails_at(operations: str, until: float, unit: UnitDriver) -> Callable[[str], None]:
    """A hook: these operations fail until so many seconds after power-on."""

    def hook(operation: str) -> None:
        if operation.startswith(operations) and unit.machine.clock.monotonic() < until:
            raise DeviceFault(operation, "input/output error")

    return hook


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("damaged", [True, False])
def test_a_usb_disk_labelled_primary_is_not_used_while_the_own_disk_is_slow(
    unit: UnitDriver, flag: bool, damaged: bool
) -> None:
    stick = copy_of_primary(unit, 8 * GIB, Bus.USB, flag=flag)
    stick.volumes()[0].damaged = damaged
    unit.machine.disks[0].appears_at = 5.0
    before, writes = unit.machine.media_state(), unit.writes()
    names = unit.operations(lambda one: one.boot(NORMAL))
    assert not [name for name in names if stick.name in name]
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(5, abs=3)
    assert unit.machine.mounts[-1].volume is primary(unit)
    assert unit.machine.media_state() == before
    assert unit.writes() == writes


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("slow", [0.0, 2.0, 20.0])
def test_results_for_a_damaged_disk_do_not_count_for_the_units_own_that_gets_its_name(
    unit: UnitDriver, slow: float, failing: int
) -> None:
    """Trials and checks of the one disk do not count for the other, whose first mounts fail. ``failing``: how many."""
    machine, own = unit.machine, unit.machine.disks[0]
    other = copy_of_primary(unit, 50 * GIB, Bus.ATA)
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
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "/dev/sda1 is beyond repair" in unit.lines()
    assert machine.mounts[-1].volume is primary(unit)


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("size", [8 * GIB, 20 * GIB])
def test_a_usb_disk_labelled_primary_is_left_alone_while_the_own_disk_is_missing(
    unit: UnitDriver, size: int, flag: bool
) -> None:
    copy_of_primary(unit, size, Bus.USB, flag=flag)
    unit.machine.disks[0].appears_at = NEVER
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert "/dev/sdc1 is not on a data disk of the platform: it is attached by USB" in unit.errors()


@pytest.mark.parametrize("damaged", [True, False])
def test_a_disk_of_another_size_is_not_used_while_the_own_disk_is_slow(unit: UnitDriver, damaged: bool) -> None:
    other = copy_of_primary(unit, 40 * GIB, Bus.ATA).volumes()[0]
    other.damaged, other.repairable = damaged, not damaged
    unit.machine.disks[0].appears_at = 5.0
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.mounts[-1].volume is primary(unit)
    assert unit.machine.media_state() == before


@pytest.mark.parametrize("bus", [Bus.USB, Bus.ATA])
@pytest.mark.parametrize("flag", [True, False])
def test_a_disk_of_the_right_size_with_data_is_left_alone_while_the_own_disk_is_missing(
    unit: UnitDriver, bus: Bus, flag: bool
) -> None:
    """On ATA it could be the unit's own data disk; on USB it cannot."""
    other = copy_of_primary(unit, 20 * GIB, bus, flag=True)
    other.volumes()[0].label = "HOLIDAYS"
    unit.machine.disks[0].appears_at = NEVER
    if not flag:
        drop_flag(primary(unit))
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert "root volume not found" in unit.errors()


def test_a_blank_usb_disk_of_the_right_size_is_not_taken_for_the_data_disk(unit: UnitDriver) -> None:
    unit.machine.add_disk(20 * GIB, bus=Bus.USB, serial="stick")
    unit.machine.disks[0].appears_at = NEVER
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "0 of 1 data disks present: none" in unit.errors()
    assert unit.machine.disks[2].writes == 0


@pytest.mark.parametrize(("change", "named"), [("ambivalent", "more than one signature"), ("relabelled", "'OTHER'")])
def test_a_primary_that_is_not_recognised_is_reported_and_left_alone(unit: UnitDriver, change: str, named: str) -> None:
    if change == "ambivalent":
        primary(unit).ambivalent = True
    else:
        primary(unit).label = "OTHER"
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert named in unit.errors()
    assert named in "".join(unit.machine.messages)


def test_a_person_can_restore_a_unit_whose_primary_is_not_recognised_by_the_menu(unit: UnitDriver) -> None:
    primary(unit).label = "OTHER"
    unit.machine.operator_present = True
    unit.machine.keys = ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes"]
    assert unit.boot(NORMAL) is StopReason.REBOOT
    unit.machine.operator_present = False
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT


def test_a_failing_check_of_a_file_system_starts_no_restore(unit: UnitDriver) -> None:
    primary(unit).damaged = True
    unit.machine.hook = fails_at("check /dev/sda1", NEVER, unit)
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert "could not be checked" in unit.errors()


def test_a_failing_check_of_a_partition_without_file_system_starts_no_restore(
    unit: UnitDriver,
) -> None:
    unit.machine.disks[0].partitions[0].volume = None
    unit.machine.hook = fails_at("check /dev/sda1", NEVER, unit)
    writes = unit.machine.disks[0].writes
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.disks[0].writes == writes
    assert "/dev/sda1, probably PRIMARY, could not be checked" in unit.errors()
    unit.machine.hook = None
    assert unit.settle() == ("reboot", "switched root")


def test_checks_of_a_disk_whose_serial_number_changes_each_time_end(unit: UnitDriver) -> None:
    disk, checked = unit.machine.disks[0], 0

    def hook(operation: str) -> None:
        nonlocal checked
        checked += operation == "check /dev/sda1"
        assert checked < 100
        if operation in ("mount /dev/sda1", "check /dev/sda1"):
            disk.serial += "x"
            raise DeviceFault(operation, "input/output error")

    unit.machine.hook = hook
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert checked == 8
    assert "cannot use /dev/sda1: input/output error" in unit.errors()


def test_data_disks_are_counted_anew_after_a_check(unit: UnitDriver) -> None:
    """A check can take hours. Here another disk that could be the unit's own appears meanwhile."""
    primary(unit).damaged, primary(unit).repairable = True, False
    other = unit.machine.add_disk(20 * GIB, serial="second", appears_at=NEVER)

    def hook(operation: str) -> None:
        if operation == "check /dev/sda1":
            other.appears_at = unit.machine.clock.monotonic()

    unit.machine.hook = hook
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    assert "the check could not repair it, but 2 of 1 data disks present" in unit.errors()


def test_a_disk_that_mounts_after_some_seconds_is_started(unit: UnitDriver) -> None:
    """Mounting fails for some seconds, though a check finds nothing wrong."""
    unit.machine.hook = fails_at("mount /dev/sda1", 8.0, unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(12, abs=4)


def test_a_disk_that_never_answers_is_given_up_after_three_tries(unit: UnitDriver) -> None:
    tried: list[float] = []

    def hook(operation: str) -> None:
        if operation == "mount /dev/sda1":
            tried.append(unit.machine.clock.monotonic())
            raise DeviceFault(operation, "input/output error")

    unit.machine.hook = hook
    before = unit.machine.media_state()
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.machine.media_state() == before
    # The second is the one right after the check.
    assert len(tried) == 4
    assert tried[-1] - tried[0] >= 10


@pytest.mark.parametrize("flag", [True, False])
def test_while_a_key_may_be_pressed_disks_are_mounted_at_most_three_times(unit: UnitDriver, flag: bool) -> None:
    """Neither a disk that does not mount, nor one that is unmounted again since its flag file is missing."""
    primary(unit).damaged, primary(unit).repairable = flag, not flag
    if not flag:
        drop_flag(primary(unit))
    unit.machine.operator_present = True
    tried: list[float] = []

    def hook(operation: str) -> None:
        if operation == "mount /dev/sda1" and unit.machine.clock.monotonic() < 9.9:
            tried.append(unit.machine.clock.monotonic())

    unit.machine.hook = hook
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert 1 <= len(tried) <= 3


def test_a_keyboard_that_appears_during_the_key_window_is_used(unit: UnitDriver) -> None:
    unit.machine.operator_present, unit.machine.operator_from = True, 3.5
    unit.machine.disks[0].appears_at = 8.0
    unit.machine.keys = ["any", str(ITEMS.index(Item.POWER_OFF)), "yes"]
    assert unit.boot(NORMAL) is StopReason.POWER_OFF
    assert unit.machine.keys == []


def test_after_resume_in_the_menu_no_other_key_is_waited_for(unit: UnitDriver) -> None:
    unit.machine.operator_present = True
    unit.machine.keys = ["any", str(ITEMS.index(Item.RESUME)), "yes"]
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() < 1


def test_a_second_disk_that_appears_during_a_restore_makes_the_target_ambiguous(unit: UnitDriver) -> None:
    """The disk that was seen first is blank; the unit's own appears when the restore begins."""
    unit.machine.disks[0].appears_at = NEVER
    blank = unit.machine.add_disk(20 * GIB, serial="blank")
    before = unit.machine.media_state()["sda"]

    def hook(operation: str) -> None:
        if operation == "mount /dev/sdb1":  # the ESP: only a restore mounts it
            unit.machine.disks[0].appears_at = min(
                unit.machine.disks[0].appears_at, unit.machine.clock.monotonic() + 1.0
            )

    unit.machine.hook = hook
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "more than one choice: /dev/sda, /dev/sdc" in unit.errors()
    assert unit.machine.media_state()["sda"] == before
    assert blank.writes == 0


def test_lost_firmware_variables_start_no_restore(unit: UnitDriver) -> None:
    unit.machine.nvram.clear()
    before = unit.machine.media_state()
    assert unit.boot({}) is StopReason.SWITCHED_ROOT
    assert unit.machine.media_state() == before


class UnreadableNvram(dict[VariableName, Variable]):
    """Variables are listed, and reading any of them fails."""

    @override
    def get(self, key: VariableName, default: object = None, /) -> NoReturn:
        raise DeviceFault(key.name, "the firmware reports a device error")


def test_firmware_variables_that_cannot_be_read_start_no_restore(unit: UnitDriver) -> None:
    unit.machine.nvram = UnreadableNvram(unit.machine.nvram)
    before = unit.machine.media_state()
    assert unit.boot({}) is StopReason.SWITCHED_ROOT
    assert unit.machine.media_state() == before


def test_the_argument_of_the_bios_fallback_loader_has_no_effect_on_uefi(unit: UnitDriver) -> None:
    """UEFI starts the kernel itself: no loader can report that boot files are missing."""
    before = unit.machine.media_state()
    assert unit.boot({**NORMAL, "PROVISION_LOADER_FALLBACK": "1"}) is StopReason.SWITCHED_ROOT
    assert unit.machine.media_state() == before


def test_a_start_without_arguments_on_bios_is_a_request_for_a_restore(unit: UnitDriver) -> None:
    unit.machine.firmware = FirmwareKind.BIOS
    unit.machine.nvram.clear()
    assert unit.boot({}) is StopReason.REBOOT
    assert "factory restore: requested by the boot entry" in unit.lines()
