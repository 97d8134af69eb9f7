"""Restores from emergency files on USB sticks: which are used, when, and how they end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk, Node
from gprov.apps.host.simulation.emergency_stick import (
    EMERGENCY_IMAGE,
    STICK,
    emergency_image,
    plug_emergency_image,
    plug_stick,
)
from gprov.apps.host.simulation.invariants import system_problems
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.init.plugged_in import EARLIEST_SECONDS
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType
from gprov.domain.platform.model import Lcd, ValidateMethod
from tests.unit.flow import units
from tests.unit.flow.driver import HISTORY, NEVER, NEWER, NORMAL, UnitDriver

PREFIX = "EmergencyFile_"
RECORD = "/etc/provisioning/emergency_media.json"
RECOVERY_RECORD = "/log/emergency_media.json"
OTHER_IMAGE = "WIDGET.LNX.SHINY.2025-12-31.1.upd"
FIRMWARES = pytest.mark.parametrize("firmware", list(FirmwareKind))


def pulled_at_the_end() -> Fault:
    """Removal of the stick during the last operation of a restore."""
    return Fault(kind=FaultKind.VANISH, where="unmount /mnt/MEDIA", disk=STICK)


def pull(unit: UnitDriver, serial: str = STICK) -> None:
    for disk in unit.machine.disks:
        disk.detached = disk.detached or disk.serial == serial


def plug(unit: UnitDriver, serial: str = STICK) -> None:
    for disk in unit.machine.disks:
        disk.detached = disk.detached and disk.serial != serial


def lose_recovery(unit: UnitDriver) -> None:
    pull(unit, "recovery")


def damage_recovery(unit: UnitDriver) -> None:
    volume = unit.volume("RECOVERY")
    volume.damaged, volume.repairable = True, False


def tree(stick: FakeDisk) -> dict[str, Node | None]:
    [volume] = stick.volumes()
    return {path: volume.current.get(path) for path in volume.current.paths()}


@FIRMWARES
def test_a_running_unit_is_restored_from_the_stick_whatever_the_age_of_its_image(firmware: FirmwareKind) -> None:
    unit = units.running(firmware=firmware)
    unit.add_image(NEWER)
    before = unit.kept_on_recovery()
    stick = plug_emergency_image(unit.world)
    content = tree(stick)

    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert system_problems(unit.world) == []
    assert tree(stick) == content
    assert unit.factory.states[-1] is ProcessState.FR_SUCCEEDED or not unit.factory.states
    # RECOVERY keeps its images; its kernel is replaced by the newer one, and the file is recorded.
    assert [path for path in unit.kept_on_recovery() if path.startswith("/Image/")] == [
        path for path in before if path.startswith("/Image/")
    ]
    assert unit.exists("RECOVERY", RECOVERY_RECORD)


def test_a_stick_that_stays_plugged_in_does_not_restore_the_unit_again(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    assert unit.settle() == ("reboot", "switched root")
    unit.put("PRIMARY", "/srv/data", b"of the unit")
    unit.sink.events.clear()
    for _ in range(2):
        assert unit.boot() is StopReason.SWITCHED_ROOT
        assert unit.exists("PRIMARY", "/srv/data")
    assert "is ignored: this unit was restored while it was plugged in" in unit.warnings()


def test_the_unit_restarts_when_the_stick_is_pulled_and_restores_when_it_is_plugged_in_again(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    unit.machine.faults.append(pulled_at_the_end())
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.total_elapsed < 60
    assert "Remove the media" in unit.machine.messages[-1]
    assert not unit.exists("PRIMARY", RECORD)
    assert not unit.exists("RECOVERY", RECOVERY_RECORD)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    plug(unit)
    unit.put("PRIMARY", "/srv/data", b"of the unit")
    assert unit.settle() == ("reboot", "switched root")
    assert not unit.exists("PRIMARY", "/srv/data")


def test_on_a_unit_with_a_display_a_stick_that_was_pulled_is_a_new_request_too(unit: UnitDriver) -> None:
    unit.machine.operator_present, unit.machine.lcd = True, Lcd.CFA635
    plug_emergency_image(unit.world)
    unit.machine.faults.append(pulled_at_the_end())
    assert unit.boot() is StopReason.REBOOT
    assert json.loads(unit.read("PRIMARY", "/etc/provisioning/platform_facts.json"))["Lcd"] == "635"
    assert not unit.exists("PRIMARY", RECORD)
    assert not unit.exists("RECOVERY", RECOVERY_RECORD)


def test_a_forgotten_stick_does_not_replace_a_system_whose_disk_comes_late(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    assert unit.settle() == ("reboot", "switched root")
    unit.put("PRIMARY", "/srv/data", b"of the unit")
    unit.machine.disks[0].appears_at = 60.0
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.exists("PRIMARY", "/srv/data")


def test_a_forgotten_stick_is_no_request_when_the_system_is_lost(unit: UnitDriver) -> None:
    """RECOVERY has the record too. What is restored then is RECOVERY's image, by evidence."""
    plug_emergency_image(unit.world)
    assert unit.settle() == ("reboot", "switched root")
    unit.remove_flag()
    assert unit.settle()[-1] == "switched root"
    assert unit.systems() == [IMAGE_NAME]
    assert "was restored with" in unit.errors()


def test_after_a_restore_from_recovery_a_forgotten_stick_delays_no_start(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    assert unit.settle() == ("reboot", "switched root")
    unit.remove_flag()
    assert unit.settle()[-1] == "switched root"
    unit.sink.events.clear()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() < 6
    assert "is ignored: this unit was restored while it was plugged in" in unit.warnings()


def test_a_stick_that_becomes_a_disk_late_is_waited_for(unit: UnitDriver) -> None:
    stick = plug_emergency_image(unit.world)
    stick.appears_at, stick.announced = 3.0, True
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]


def test_storage_that_never_becomes_a_disk_delays_a_boot_by_five_seconds(unit: UnitDriver) -> None:
    stick = plug_emergency_image(unit.world)
    stick.appears_at, stick.announced = NEVER, True
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(5, abs=0.2)


def test_a_unit_may_wait_for_removable_media_as_long_as_its_argument_says(unit: UnitDriver) -> None:
    stick = plug_emergency_image(unit.world)
    stick.appears_at, stick.announced = 20.0, True
    assert unit.copy().boot() is StopReason.SWITCHED_ROOT
    assert unit.boot({**NORMAL, "PROVISION_EMERGENCY_WAIT": "30"}) is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]


def test_a_late_recovery_does_not_delay_a_boot(unit: UnitDriver) -> None:
    recovery = unit.machine.disks[1]
    recovery.appears_at, recovery.announced = 30.0, True
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0


def test_a_search_that_hangs_delays_a_boot_by_five_seconds(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    unit.machine.media_seconds = None
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(5, abs=0.2)


def test_a_stick_without_emergency_files_does_not_delay_a_boot(unit: UnitDriver) -> None:
    plug_stick(unit.world, {"readme.txt": b"hello"})
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (PREFIX + EMERGENCY_IMAGE, emergency_image()[:-8] + bytes(8), "not restored from removable media"),
        (PREFIX + EMERGENCY_IMAGE, emergency_image()[:-4096], "not restored from removable media"),
        (PREFIX + EMERGENCY_IMAGE, emergency_image()[: 1 << 20], "not copied completely"),
        (PREFIX + EMERGENCY_IMAGE, bytes(2 << 20), "does not begin like an image"),
        (PREFIX + "WIDGET.LNX.SHINY.2025-13-24.7.upd", emergency_image(), "not in the calendar"),
        (PREFIX + "OTHER.2025-12-24.7.upd", emergency_image(), "must be 'WIDGET.LNX.SHINY.'"),
        (PREFIX.lower() + EMERGENCY_IMAGE, emergency_image(), "begins with EmergencyFile_, in this case"),
        (PREFIX + "options.json", b'{"ClearHistory": true}', "trusts no unsigned ones"),
        (PREFIX + EMERGENCY_IMAGE, Node(type=FileType.SYMLINK, content=b"/dev/sda"), "is no file but a link"),
        (PREFIX + EMERGENCY_IMAGE, Node(type=FileType.FOLDER), "is no file but a link"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_and_the_unit_starts_its_system(
    unit: UnitDriver, name: str, content: bytes | Node, reason: str
) -> None:
    plug_stick(unit.world, {name: content}, kind=FileSystemKind.EXT4)
    files = unit.files("PRIMARY")
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert reason in unit.log().lower() or reason in unit.log()
    assert unit.files("PRIMARY") == files
    assert unit.machine.clock.total_elapsed < 400
    assert HISTORY not in unit.files("RECOVERY") or EMERGENCY_IMAGE not in unit.read("RECOVERY", HISTORY).decode()


def test_of_several_images_on_several_sticks_the_newest_good_one_is_restored(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world, number=1, serial="one")
    newest = "WIDGET.LNX.SHINY.2027-01-01.1.upd"
    plug_stick(unit.world, {PREFIX + newest: emergency_image()[:-8] + bytes(8)}, serial="two")
    plug_emergency_image(unit.world, OTHER_IMAGE, number=3, serial="three")
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [OTHER_IMAGE]
    assert newest in unit.errors()
    # All sticks are still there: none of them restores the unit again.
    assert unit.boot() is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize("label", ["RECOVERY", "PRIMARY", "ESP"])
def test_a_stick_with_a_label_of_the_units_own_volumes_is_a_stick(unit: UnitDriver, label: str) -> None:
    stick = plug_stick(unit.world, {PREFIX + EMERGENCY_IMAGE: emergency_image()}, label=label)
    content = tree(stick)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert tree(stick) == content


def test_an_ext4_stick_labelled_recovery_is_not_searched(unit: UnitDriver) -> None:
    plug_stick(unit.world, {PREFIX + EMERGENCY_IMAGE: emergency_image()}, label="RECOVERY", kind=FileSystemKind.EXT4)
    assert unit.boot() is StopReason.SWITCHED_ROOT


@FIRMWARES
def test_a_unit_without_recovery_is_restored_from_the_stick_alone(firmware: FirmwareKind) -> None:
    unit = units.running(firmware=firmware)
    damage_recovery(unit)
    unit.remove_flag()
    plug_emergency_image(unit.world)
    assert unit.settle()[-1] == "switched root"
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == 207
    if firmware is FirmwareKind.UEFI:
        assert unit.build_number("ESP", "/norm_boot") == 207
    assert "restoring without RECOVERY" in unit.warnings()


def test_a_bios_unit_whose_recovery_was_taken_out_is_restored_from_the_stick() -> None:
    unit = units.running(firmware=FirmwareKind.BIOS)
    lose_recovery(unit)
    plug_emergency_image(unit.world)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [EMERGENCY_IMAGE]


def test_a_uefi_unit_without_recovery_and_esp_is_restored_with_a_warning(unit: UnitDriver) -> None:
    lose_recovery(unit)
    plug_emergency_image(unit.world)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert "starts from its own disks again only after RECOVERY was replaced" in unit.warnings()


def test_a_disk_with_a_label_of_recovery_is_no_target_even_if_it_cannot_be_used() -> None:
    """The data disk is gone, and RECOVERY's disk has its size and is built in."""
    unit = units.running(firmware=FirmwareKind.BIOS)
    damage_recovery(unit)
    data, recovery = unit.machine.disks
    data.detached = True
    recovery.size, recovery.bus = data.size, data.bus
    [platform] = unit.world.platforms
    media = replace(platform.recovery_media, validate=ValidateMethod.SATA)
    unit.world.platforms = (replace(platform, recovery_media=media),)
    plug_emergency_image(unit.world)
    writes = recovery.writes
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert recovery.writes == writes
    assert "may be RECOVERY's" in unit.log()


def test_a_stick_that_is_pulled_before_the_wipe_changes_nothing(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    files = unit.files("PRIMARY")
    unit.machine.faults.append(Fault(kind=FaultKind.VANISH, where="verify /mnt/MEDIA", disk=STICK))
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.files("PRIMARY") == files


def test_a_stick_that_is_pulled_after_the_wipe_leaves_the_unit_with_recoverys_image(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    unit.machine.faults.append(Fault(kind=FaultKind.VANISH, where="extract /mnt/MEDIA", disk=STICK))
    assert unit.settle()[-1] == "switched root"
    assert unit.systems() == [IMAGE_NAME]
    assert EMERGENCY_IMAGE in unit.errors()


def test_without_recovery_a_pulled_stick_is_a_failure_that_the_stick_mends() -> None:
    unit = units.running(firmware=FirmwareKind.BIOS)
    lose_recovery(unit)
    plug_emergency_image(unit.world)
    unit.machine.faults.append(Fault(kind=FaultKind.VANISH, where="extract /mnt/MEDIA", disk=STICK))
    assert unit.boot() is StopReason.REBOOT
    assert not unit.exists("PRIMARY", "/boot.normal")
    plug(unit)
    assert unit.settle(most=3)[-1] in ("switched root", "nothing to start")


def test_a_person_at_the_unit_can_cancel(unit: UnitDriver) -> None:
    unit.machine.operator_present = True
    plug_emergency_image(unit.world)
    files = unit.files("PRIMARY")

    assert unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.REBOOT
    restored = unit.files("PRIMARY")
    assert restored != files
    assert "In 30 s; any key: cancel" in unit.machine.messages[0]

    other = units.running()
    other.machine.operator_present = True
    other.machine.keys = ["any"]
    plug_emergency_image(other.world)
    assert other.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.SWITCHED_ROOT
    assert other.files("PRIMARY") == files


@pytest.mark.parametrize("policy", ["off", "no", "0"])
def test_a_unit_may_ignore_removable_media(unit: UnitDriver, policy: str) -> None:
    plug_emergency_image(unit.world)
    assert unit.boot({**NORMAL, "PROVISION_EMERGENCY": policy}) is StopReason.SWITCHED_ROOT


def test_trusted_options_restore_from_recovery_once(unit: UnitDriver) -> None:
    unit.add_image(NEWER)
    unit.put("RECOVERY", "/fr.data", json.dumps({"BootArgs": "kept=1"}).encode())
    plug_stick(unit.world, {f"{PREFIX}options": json.dumps({"BootArgs": "given=1", "Preserve": True}).encode()})
    arguments = {**NORMAL, "PROVISION_EMERGENCY": "all"}
    assert unit.boot(arguments) is StopReason.REBOOT
    assert unit.systems() == [NEWER]
    assert b"given=1" in unit.read("RECOVERY", "/boot.args")
    assert unit.exists("RECOVERY", "/fr.data")  # of a later restore
    assert "Preserve has no effect" in unit.warnings()
    assert unit.boot(arguments) is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize("content", [b"", b"no json", b'{"BootArgs": 3}', b'{"BootArgs": "a\\nb"}'])
def test_trusted_options_that_do_not_parse_change_nothing(unit: UnitDriver, content: bytes) -> None:
    plug_stick(unit.world, {f"{PREFIX}options": content})
    files = unit.files("PRIMARY")
    assert unit.boot({**NORMAL, "PROVISION_EMERGENCY": "all"}) is StopReason.SWITCHED_ROOT
    assert unit.files("PRIMARY") == files


def test_an_image_is_used_alone_beside_options(unit: UnitDriver) -> None:
    plug_emergency_image(unit.world)
    plug_stick(unit.world, {f"{PREFIX}options": b'{"BootArgs": "given=1"}'}, serial="other")
    assert unit.boot({**NORMAL, "PROVISION_EMERGENCY": "all"}) is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert not unit.exists("RECOVERY", "/boot.args") or b"given=1" not in unit.read("RECOVERY", "/boot.args")
    assert unit.boot({**NORMAL, "PROVISION_EMERGENCY": "all"}) is StopReason.SWITCHED_ROOT


def test_a_new_stick_is_restored_at_once_after_restores_that_failed(unit: UnitDriver) -> None:
    """The pause before restores in a row is for units at which no one stands."""
    unit.remove("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.remove_flag()
    for _ in range(5):
        unit.boot()
    plug_emergency_image(unit.world)
    before = unit.machine.clock.total_elapsed
    assert unit.settle() == ("reboot", "switched root")
    assert unit.machine.clock.total_elapsed - before < 400


# --- plugged in during a pause ----------------------------------------------------------------------------------------


def without_image(unit: UnitDriver) -> None:
    """No restore can succeed: the next ends in a pause of five minutes."""
    unit.remove("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.remove_flag()


def seconds_of(unit: UnitDriver, environment: dict[str, str] | None = None) -> float:
    """How long a start lasts, which ends in a restart."""
    before = unit.machine.clock.total_elapsed
    assert unit.boot(environment) is StopReason.REBOOT
    return unit.machine.clock.total_elapsed - before


def restored_after(unit: UnitDriver, stick: FakeDisk) -> None:
    assert unit.machine.messages[-1] == "Emergency file found: restarting"
    stick.appears_at = 0.0
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]


@pytest.mark.parametrize("person", [False, True])
def test_a_stick_that_is_plugged_in_while_a_failure_is_shown_is_used(unit: UnitDriver, person: bool) -> None:
    without_image(unit)
    unit.machine.operator_present = person
    stick = plug_emergency_image(unit.world)
    stick.appears_at = 100.0
    assert 99 < seconds_of(unit) < 110
    restored_after(unit, stick)


def test_a_stick_that_is_plugged_in_after_a_start_was_given_up_is_used(unit: UnitDriver) -> None:
    root = unit.machine.disks[0]
    root.appears_at = NEVER
    stick = plug_emergency_image(unit.world)
    stick.appears_at = 300.0
    assert 299 < seconds_of(unit, NORMAL) < 310
    root.appears_at = 0.0
    restored_after(unit, stick)


@pytest.mark.parametrize("person", [False, True])
def test_a_stick_that_is_plugged_in_during_the_pause_before_a_restore_is_used(unit: UnitDriver, person: bool) -> None:
    without_image(unit)
    for _ in range(4):
        unit.boot()
    assert unit.copy().boot() is StopReason.REBOOT
    unit.machine.operator_present = person
    stick = plug_emergency_image(unit.world)
    stick.appears_at = 200.0
    assert 199 < seconds_of(unit) < 210
    assert "Emergency file found: restarting" in unit.log()
    stick.appears_at = 0.0
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]


def test_a_stick_that_is_late_in_each_start_does_not_end_each_pause_at_once(unit: UnitDriver) -> None:
    """Here no start waits for it: it cannot be used."""
    without_image(unit)
    plug_emergency_image(unit.world).appears_at = 3.0
    arguments = {**NORMAL, "PROVISION_EMERGENCY_WAIT": "0"}
    for _ in range(3):
        assert seconds_of(unit, arguments) >= EARLIEST_SECONDS


@pytest.mark.parametrize("name", [f"{PREFIX}options", "readme.txt"])
def test_a_stick_that_would_not_be_used_ends_no_pause(unit: UnitDriver, name: str) -> None:
    without_image(unit)
    before = seconds_of(unit.copy())
    plug_stick(unit.world, {name: b"{}"}).appears_at = 100.0
    assert seconds_of(unit) == pytest.approx(before, abs=1)


def test_where_removable_media_are_off_they_end_no_pause(unit: UnitDriver) -> None:
    without_image(unit)
    plug_emergency_image(unit.world).appears_at = 100.0
    assert seconds_of(unit, {**NORMAL, "PROVISION_EMERGENCY": "off"}) > 250


@pytest.mark.parametrize("torn", [False, True])
@FIRMWARES
def test_after_a_cut_at_any_operation_the_unit_comes_back(firmware: FirmwareKind, torn: bool) -> None:
    unit = units.running(firmware=firmware)
    plug_emergency_image(unit.world)
    for name, cut in unit.cut_everywhere(torn=torn):
        assert cut.systems() == [EMERGENCY_IMAGE], name
        assert system_problems(cut.world) == [], name
