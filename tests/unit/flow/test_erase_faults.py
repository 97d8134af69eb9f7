"""Faults during a data erase: at any operation, of any device, and in what a power cut left. A unit never states that a
disk is erased if it is not, never erases what was not confirmed, and ends in a state that a person sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from gprov.adapters.fake.disk.drive_commands import MediaStore
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import NO_FAULTS, AtaFaults, DriveFaults
from gprov.adapters.fake.drives.nvme import NvmeBehaviour, SimulatedNvmeDrive
from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.domain.boot.args import ROOT_DEADLINE_SECONDS
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.disk.model import Bus
from gprov.domain.erase.drive_io import ScsiCommand, ScsiReply
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Stamped
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import FailsAt, UnitDriver
from tests.unit.flow.test_erase_flow import (
    CONFIRMED,
    ERASE,
    RECORD,
    REPORT,
    data_disks,
    disk_reports,
    erase,
    former_content,
    report,
    with_nvme,
)

# What the drive takes for each of its own techniques, in simulated seconds.
LONG = 600.0


def sata_array() -> UnitDriver:
    return units.running(level=RaidLevel.RAID1, disks=2)


def sata_drive(faults: AtaFaults | None = None, model: AtaModel | None = None) -> UnitDriver:
    """A unit whose data disk is an ATA drive that takes commands."""
    unit = units.running()
    [primary] = data_disks(unit)
    made = replace(model or AtaModel(), sectors=primary.size // 512)
    primary.scsi_drive = SatDrive(unit.machine.clock, MediaStore(primary), made, faults or AtaFaults())
    return unit


def nvme_drive() -> UnitDriver:
    return with_nvme(NvmeBehaviour())[0]


def scsi_drive(faults: DriveFaults = NO_FAULTS, seconds: float = 60 * LONG) -> UnitDriver:
    """A unit whose data disk is a SCSI drive that takes so long to erase itself."""
    unit = units.running()
    [primary] = data_disks(unit)
    primary.bus = Bus.SCSI
    model = ScsiModel(blocks=primary.size // 512, sanitize_seconds=seconds)
    primary.scsi_drive = ScsiDrive(unit.machine.clock, MediaStore(primary), model, faults)
    return unit


UNITS = {
    "overwrite": units.running,
    "array": sata_array,
    "SATA drive": sata_drive,
    "SCSI drive": partial(scsi_drive, seconds=LONG),
    "NVMe drive": nvme_drive,
}


def assert_true(unit: UnitDriver, where: str) -> None:
    """The report claims no more than the media show, and a person sees how it ended."""
    remains = {disk.serial: former_content(disk) for disk in data_disks(unit)}
    shown = unit.machine.messages[-1]
    claimed = "all data disks are erased" in shown
    assert not claimed or not any(remains.values()), where
    assert claimed or any(word in shown for word in ("error", "FAILED", "failed", "removed", "not")), (where, shown)
    if unit.exists("RECOVERY", REPORT):
        for one in disk_reports(unit):
            disk = one["disk"]
            assert isinstance(disk, dict)
            assert one["verdict"] != "erased" or not remains[str(disk["serial"])], where


@pytest.mark.parametrize("make", UNITS.values(), ids=UNITS)
def test_a_fault_at_any_operation_never_makes_an_erase_claim_too_much(make: Callable[[], UnitDriver]) -> None:
    unit = make()
    for at, name in enumerate(unit.operations(erase)):
        copy = unit.copy()
        copy.machine.hook = FailsAt(at)
        assert erase(copy) is StopReason.REBOOT, name
        assert_true(copy, name)
        copy.machine.hook = None
        begun = any(
            former_content(disk) != former_content(same)
            for disk, same in zip(data_disks(copy), data_disks(unit), strict=True)
        )
        copy.machine.messages.clear()
        ended = copy.settle()[-1]
        # Restored after an erase of all disks, unchanged, or a failure that is shown at every start.
        if ended != StopReason.SWITCHED_ROOT.value:
            assert any("FAILED" in text or "failed" in text for text in copy.machine.messages), name
        elif begun:
            kept = copy.exists("RECOVERY", REPORT)
            assert report(copy)["verdict"] == "erased" if kept else "cannot be kept" in copy.errors(), name


@pytest.mark.parametrize("make", [sata_drive, partial(scsi_drive, seconds=LONG), nvme_drive])
def test_a_drive_that_is_gone_at_any_command_is_not_certified(make: Callable[[], UnitDriver]) -> None:
    unit = make()
    [primary] = data_disks(unit)
    commands = sum(name.startswith(f"command to {primary.node}") for name in unit.operations(erase))
    for after in range(commands):
        copy = unit.copy()
        where = f"command to {primary.node}"
        copy.machine.faults.append(
            Fault(kind=FaultKind.VANISH, where=where, after=after, disk=primary.serial, reappears=True)
        )
        assert erase(copy) is StopReason.REBOOT
        assert_true(copy, f"command {after}")
        assert disk_reports(copy)[0]["verdict"] == "failed"
        assert "FAILED" in copy.errors()


def test_a_record_that_cannot_be_written_or_removed_pauses_between_starts(unit: UnitDriver) -> None:
    """Without a record nothing can be resumed; with one that stays, each start erases again, after ever longer."""
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"remove /mnt/RECOVERY{RECORD}", times=99))
    assert erase(unit) is StopReason.REBOOT
    assert former_content(data_disks(unit)[0]) == []
    slept = unit.machine.clock.slept
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.slept - slept >= 300
    unit.machine.faults.clear()
    assert unit.settle()[-1] == "switched root"


def cut_during_sanitize(unit: UnitDriver, disk: FakeDisk, before_end: int = 3) -> None:
    """Cut the power while the drive erases itself, and give it back before it is done."""
    names = unit.operations(erase)
    begun = [at for at, name in enumerate(names) if name.startswith(f"command to {disk.node}")]
    unit.cut(begun[-before_end], erase)


def test_an_ata_sanitize_in_progress_is_followed_after_a_restart() -> None:
    unit = sata_drive(model=AtaModel(sanitize_seconds=LONG))
    [primary] = data_disks(unit)
    cut_during_sanitize(unit, primary)
    assert unit.settle()[-1] == "switched root"
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["verdict"]) == ("ata-sanitize-block", "erased")
    assert isinstance(primary.scsi_drive, SatDrive)
    sanitizes = [one for one in primary.scsi_drive.device.received if one.opcode == 0xB4 and one.feature == 0x0012]
    assert len(sanitizes) == 1


def test_a_scsi_drive_without_capacity_is_waited_for_after_a_restart() -> None:
    """The kernel does not list it as long as it erases itself."""
    unit = scsi_drive()
    [primary] = data_disks(unit)
    cut_during_sanitize(unit, primary, before_end=100)
    assert primary.without_size
    assert unit.boot() is StopReason.REBOOT
    assert f"{primary.node} erases itself since before this start" in unit.log()
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["verdict"]) == ("scsi-sanitize-block", "erased")
    assert former_content(primary) == []
    assert unit.settle()[-1] == "switched root"


def test_a_scsi_drive_that_erases_itself_without_our_record_is_not_certified() -> None:
    unit = scsi_drive()
    [primary] = data_disks(unit)
    assert primary.scsi_drive is not None
    assert primary.scsi_drive.scsi(ScsiCommand(bytes([0x48, 0x82, *bytes(8)]))) == ScsiReply(0)
    unit.machine.restart()
    assert erase(unit) is StopReason.REBOOT
    assert "erases itself already and is not covered" in unit.warnings()
    assert "nothing was erased" in unit.errors()
    assert not unit.exists("RECOVERY", REPORT)


@pytest.mark.parametrize("known", [True, False], ids=["known platform", "unknown platform"])
def test_disks_that_appear_late_after_a_cut_are_waited_for(known: bool) -> None:
    unit = sata_array()
    if not known:
        unit.world.platforms = ()
        unit.machine.operator_present, unit.machine.keys = True, ["yes", "yes", "yes"]
    interrupted(unit)
    # The root is searched for in the meantime.
    begins = ROOT_DEADLINE_SECONDS if known else 0.0
    for disk in data_disks(unit):
        disk.appears_at = begins + 45.0
    unit.machine.operator_present = False
    assert unit.boot(None if known else ERASE) is StopReason.REBOOT
    assert [one["verdict"] for one in disk_reports(unit)] == ["erased", "erased"]


SECURITY = {"DATA_ERASE_OPTIONS": "technique:ata-security-normal"}


def test_a_drive_that_a_cut_left_with_gprovs_password_is_freed_and_erased() -> None:
    unit = sata_drive()
    [primary] = data_disks(unit)
    assert isinstance(primary.scsi_drive, SatDrive)

    def secure(driver: UnitDriver) -> StopReason:
        return driver.boot({**CONFIRMED, **SECURITY})

    names = unit.operations(secure)
    left = 0
    for at in (at for at, name in enumerate(names) if name.startswith(f"command to {primary.node}")):
        copy = unit.copy()
        copy.cut(at, secure)
        drive = data_disks(copy)[0].scsi_drive
        assert isinstance(drive, SatDrive)
        left += drive.device.security.password is not None
        assert copy.settle()[-1] == "switched root"
        assert drive.device.security.password is None
        [disk] = disk_reports(copy)
        assert (disk["technique"], disk["verdict"]) == ("ata-security-normal", "erased")
    assert left > 1


def test_a_password_of_somebody_else_stays_and_the_disk_is_not_certified() -> None:
    unit = sata_drive(AtaFaults(locked_by=b"theirs"))
    unit.machine.restart()
    assert erase(unit) is StopReason.REBOOT
    drive = data_disks(unit)[0].scsi_drive
    assert isinstance(drive, SatDrive)
    assert drive.device.security.password == b"theirs".ljust(32, b"\0")
    assert "password that gprov did not set" in unit.warnings()
    assert report(unit)["verdict"] == "failed"


def test_a_technique_that_failed_before_a_cut_is_not_tried_again() -> None:
    unit = sata_drive(AtaFaults(sanitize_fails=True))
    [primary] = data_disks(unit)
    names = unit.operations(erase)
    unit.cut(names.index(f"overwrite {primary.node}: under way") + 3, erase)
    assert unit.settle()[-1] == "switched root"
    drive = data_disks(unit)[0].scsi_drive
    assert isinstance(drive, SatDrive)
    for feature in (0x0011, 0x0012, 0x0014):
        assert sum(one.opcode == 0xB4 and one.feature == feature for one in drive.device.received) <= 1
    assert disk_reports(unit)[0]["technique"] == "overwrite"


def test_after_a_cut_nothing_else_is_tried_if_the_first_failure_was_to_stop_the_erase() -> None:
    unit = sata_drive(AtaFaults(sanitize_fails=True))

    def stops(driver: UnitDriver) -> StopReason:
        return driver.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "on-failure:stop"})

    names = unit.operations(stops)
    unit.cut(names.index(f"write /mnt/RECOVERY{REPORT}"), stops)
    assert unit.boot() is StopReason.REBOOT
    [disk] = disk_reports(unit)
    assert isinstance(disk["tried"], list)
    assert len(disk["tried"]) == 1
    assert report(unit)["verdict"] == "failed"


def interrupted(unit: UnitDriver, options: str = "") -> None:
    """Cut an erase while the first disk is overwritten."""

    def start(driver: UnitDriver) -> StopReason:
        return driver.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": options})

    names = unit.operations(start)
    unit.cut(next(at for at, name in enumerate(names) if name.startswith("overwrite ")) + 3, start)


def test_options_are_those_that_were_confirmed(unit: UnitDriver) -> None:
    interrupted(unit, "scheme:three,read-back:sample")
    assert unit.settle()[-1] == "switched root"
    [disk] = disk_reports(unit)
    assert isinstance(disk["passes"], list)
    assert len(disk["passes"]) == 3
    assert isinstance(disk["verification"], dict)
    # What a pass could not write before the restart is not recorded: a sample could miss it.
    assert disk["verification"]["method"] == "full read-back"


def test_a_record_of_another_unit_erases_nothing_and_a_person_decides(unit: UnitDriver) -> None:
    interrupted(unit)
    record = json.loads(unit.read("RECOVERY", RECORD))
    unit.put("RECOVERY", RECORD, json.dumps({**record, "Serial": "OTHER"}).encode())
    written = data_disks(unit)[0].writes
    for _ in range(3):
        assert unit.boot() is StopReason.REBOOT
        assert "begun on unit OTHER" in unit.errors()
    assert data_disks(unit)[0].writes == written
    unit.machine.operator_present = True
    unit.machine.keys = ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes"]
    assert unit.settle()[-1] == "switched root"


def test_a_disk_that_was_exchanged_is_not_erased(unit: UnitDriver) -> None:
    interrupted(unit)
    [primary] = data_disks(unit)
    primary.serial, written = "another", primary.writes
    assert unit.boot() is StopReason.REBOOT
    assert "none of the disks" in unit.errors()
    assert unit.boot() is StopReason.REBOOT
    assert primary.writes == written


def test_a_damaged_record_is_shown_instead_of_a_restore(unit: UnitDriver) -> None:
    interrupted(unit)
    unit.put("RECOVERY", RECORD, b"{")
    written = data_disks(unit)[0].writes
    assert unit.boot() is StopReason.REBOOT
    assert "damaged" in unit.machine.messages[-1]
    assert data_disks(unit)[0].writes == written


def test_a_record_that_cannot_be_read_once_is_not_forgotten(unit: UnitDriver) -> None:
    interrupted(unit)
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"read /mnt/RECOVERY{RECORD}"))
    assert unit.settle()[-1] == "switched root"
    assert report(unit)["verdict"] == "erased"


def test_a_disk_that_is_found_only_after_a_restart_is_erased_too() -> None:
    """Striped, so that the system cannot start from the other disk."""
    unit = units.running(level=RaidLevel.RAID0, disks=2)
    _first, second = data_disks(unit)
    second.detached = True
    interrupted(unit)
    second.detached = False
    assert unit.settle()[-1] == "switched root"
    assert [one["verdict"] for one in disk_reports(unit)] == ["erased", "erased"]


def test_a_disk_that_is_lost_after_a_cut_makes_the_erase_incomplete() -> None:
    unit = sata_array()
    interrupted(unit)
    data_disks(unit)[1].detached = True
    for _ in range(2):
        assert unit.boot() is StopReason.REBOOT
        assert report(unit)["verdict"] == "incomplete"
    assert "NOT FOUND" in unit.errors()


def test_a_clock_that_was_set_back_does_not_end_an_erase_before_its_beginning(unit: UnitDriver) -> None:
    interrupted(unit)
    record = json.loads(unit.read("RECOVERY", RECORD))
    unit.put("RECOVERY", RECORD, json.dumps({**record, "Started": record["Started"] + 10**18}).encode())
    assert unit.settle()[-1] == "switched root"
    document = report(unit)
    assert str(document["started"]) <= str(document["ended"])


def test_the_start_of_an_erase_is_that_of_its_first_part(unit: UnitDriver) -> None:
    interrupted(unit)
    began = json.loads(unit.read("RECOVERY", RECORD))["Started"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.now_ns() > began
    assert json.loads(unit.read("RECOVERY", REPORT))["started"] < json.loads(unit.read("RECOVERY", REPORT))["ended"]


def test_two_disks_of_one_identity_are_not_erased() -> None:
    unit = sata_array()
    first, second = data_disks(unit)
    second.serial = first.serial
    assert erase(unit) is StopReason.REBOOT
    assert_true(unit, "twins")


def test_a_cut_before_the_record_says_cleared_is_resumed() -> None:
    """The edges of the disk are gone: a restore would leave the rest of it as it was."""
    unit = units.running()
    names = unit.operations(erase)
    writes = [at for at, name in enumerate(names) if name == f"write /mnt/RECOVERY{RECORD}"]
    unit.cut(writes[1], erase)
    assert unit.boot() is StopReason.REBOOT
    assert former_content(data_disks(unit)[0]) == []
    assert report(unit)["verdict"] == "erased"


def namespaces_of_one_controller(unit: UnitDriver) -> SimulatedNvmeDrive:
    """Make the data disks the namespaces 1, 2 … of one NVMe drive."""
    disks = data_disks(unit)
    by_number = dict(enumerate(disks, 1))

    drive = SimulatedNvmeDrive(unit.machine.clock, {n: disk.size for n, disk in by_number.items()}, Namespaces(disks))
    for number, disk in by_number.items():
        disk.bus, disk.namespace, disk.nvme_drive = Bus.NVME, number, drive
        disk.serial = f"{drive.controller.serial}-{number}"
    return drive


@dataclass
class Namespaces:
    disks: list[FakeDisk]

    def __call__(self, number: int, byte: int | None) -> None:
        self.disks[number - 1].erase_contents(byte)


def test_two_namespaces_of_one_controller_are_erased_each_by_itself() -> None:
    """Sanitize would erase both at once, while the other one is being erased and verified."""
    unit = sata_array()
    drive = namespaces_of_one_controller(unit)
    assert erase(unit) is StopReason.REBOOT
    assert [former_content(disk) for disk in data_disks(unit)] == [[], []]
    assert [one["verdict"] for one in disk_reports(unit)] == ["erased", "erased"]
    assert not any(command.opcode == 0x84 for command in drive.received)
    assert {command.namespace for command in drive.received if command.opcode == 0x80} == {1, 2}
    assert unit.settle()[-1] == "switched root"


def test_a_namespace_that_is_no_data_disk_keeps_its_content() -> None:
    unit = units.running()
    [primary] = data_disks(unit)
    other = unit.machine.add_disk(64 << 30, serial="other")
    other.media.put(Extent(0, other.size), Stamped("former other"))
    drive = namespaces_of_one_controller(unit)
    assert erase(unit) is StopReason.REBOOT
    assert former_content(primary) == []
    assert former_content(other) == [Extent(0, other.size)]
    assert {command.namespace for command in drive.received if command.opcode == 0x80} == {1}
    assert "wrong size" in json.dumps(report(unit)["out_of_scope"])
