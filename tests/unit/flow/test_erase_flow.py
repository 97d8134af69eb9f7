"""Data erase of a unit: confirmation, scope, result, what is left, and what a power cut or a bad drive changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.raid_metadata import imsm_block, imsm_sectors
from gprov.adapters.fake.disk.drive_commands import ErasesMedia, MediaStore
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.adapters.fake.drives.nvme import NvmeBehaviour, SimulatedNvmeDrive
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import Bus
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Stamped
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.model import FakeraidType, RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

ERASE = {"DATA_ERASE": "1"}
CONFIRMED = {**ERASE, "DATA_ERASE_SERIAL": SERIAL}
RECORD = "/log/erase.json"
REPORT = "/log/erase_report.json"
RAID = "/log/erase_raid.json"
CERTIFICATE = "/log/erase_report.json.certificate.json"


def erase(unit: UnitDriver) -> StopReason:
    return unit.boot(CONFIRMED)


def data_disks(unit: UnitDriver) -> list[FakeDisk]:
    return [disk for disk in unit.machine.disks if disk.bus is not Bus.USB]


def former_content(disk: FakeDisk) -> list[Extent]:
    """Ranges that still hold what a file system, member or table had put there."""
    segments = (*disk.media.segments, *disk.media.hidden)
    return [
        one.extent for one in segments if isinstance(one.content, Stamped) and one.content.seed.startswith("former")
    ]


def report(unit: UnitDriver) -> dict[str, Json]:
    document: dict[str, Json] = json.loads(unit.read("RECOVERY", REPORT))
    return document


def disk_reports(unit: UnitDriver) -> list[dict[str, Json]]:
    disks = report(unit)["disks"]
    assert isinstance(disks, list)
    return [disk for disk in disks if isinstance(disk, dict)]


def test_an_erased_unit_holds_nothing_of_its_system_and_restores_itself(firmware: FirmwareKind) -> None:
    unit = units.running(firmware=firmware)
    [primary] = data_disks(unit)
    kept = {path for path in unit.kept_on_recovery() if path.startswith(("/Image", "/secrets"))}
    assert former_content(primary)
    assert erase(unit) is StopReason.REBOOT
    assert former_content(primary) == []
    assert report(unit)["verdict"] == "erased"
    assert kept <= set(unit.kept_on_recovery())
    assert not unit.exists("RECOVERY", RECORD)
    assert unit.settle()[-1] == "switched root"


def test_both_disks_of_an_array_are_erased() -> None:
    unit = units.running(level=RaidLevel.RAID1, disks=2)
    assert erase(unit) is StopReason.REBOOT
    assert [former_content(disk) for disk in data_disks(unit)] == [[], []]
    assert [one["verdict"] for one in disk_reports(unit)] == ["erased", "erased"]
    assert unit.settle()[-1] == "switched root"


@pytest.mark.parametrize(
    ("arguments", "present", "keys"),
    [
        pytest.param(ERASE, False, [], id="no operator, no serial number"),
        pytest.param({**ERASE, "DATA_ERASE_SERIAL": "OTHER"}, False, [], id="serial number of another unit"),
        pytest.param(ERASE, True, ["no"], id="the first question is denied"),
        pytest.param(ERASE, True, ["yes", "no"], id="the second question is denied"),
        pytest.param(ERASE, True, ["yes"], id="the second question has no answer"),
        pytest.param(ERASE, True, [], id="no answer"),
    ],
)
def test_without_confirmation_nothing_changes(
    unit: UnitDriver, arguments: dict[str, str], present: bool, keys: list[str]
) -> None:
    unit.machine.operator_present, unit.machine.keys = present, list(keys)
    before, written = unit.files("PRIMARY"), data_disks(unit)[0].writes
    assert unit.boot(arguments) is StopReason.REBOOT
    assert (unit.files("PRIMARY"), data_disks(unit)[0].writes) == (before, written)
    assert not unit.exists("RECOVERY", RECORD)
    assert unit.settle()[-1] == "switched root"


def test_a_person_confirms_twice_after_the_consequence_was_shown(unit: UnitDriver) -> None:
    unit.machine.operator_present, unit.machine.keys = True, ["yes", "yes"]
    assert unit.boot(ERASE) is StopReason.REBOOT
    assert former_content(data_disks(unit)[0]) == []
    shown = "\n".join(unit.machine.messages)
    assert SERIAL in shown
    assert "cannot be undone" in shown
    assert "done, all data disks are erased" in unit.machine.messages[-1]


def test_the_boot_menu_erases(unit: UnitDriver) -> None:
    unit.machine.operator_present = True
    unit.machine.keys = ["any", str(ITEMS.index(Item.ERASE)), "yes", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert former_content(data_disks(unit)[0]) == []


def test_a_drive_that_drops_writes_is_not_certified(unit: UnitDriver) -> None:
    [primary] = data_disks(unit)
    primary.media.dropped = (Extent(1 << 30, (1 << 30) + (1 << 20)),)
    assert erase(unit) is StopReason.REBOOT
    [disk] = disk_reports(unit)
    assert (disk["verdict"], disk["achieved"]) == ("partial", "not classified")
    assert "ONLY PARTLY" in unit.errors()
    assert former_content(primary)


def test_a_failed_erase_is_shown_at_the_next_start_instead_of_a_restore(unit: UnitDriver) -> None:
    [primary] = data_disks(unit)
    primary.media.dropped = (Extent(0, primary.size),)
    erase(unit)
    written = primary.writes
    assert unit.boot() is StopReason.REBOOT
    assert "FAILED" in unit.machine.messages[-1] or "failed" in unit.machine.messages[-1]
    assert primary.writes == written
    # No restore was begun.
    assert "FR_FAILED" not in unit.log()


def test_after_a_failed_erase_a_person_can_restore(unit: UnitDriver) -> None:
    [primary] = data_disks(unit)
    primary.media.dropped = (Extent(1 << 30, (1 << 30) + 4096),)
    erase(unit)
    primary.media.dropped = ()
    unit.machine.operator_present = True
    unit.machine.keys = ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes"]
    # The menu opens while the failure is shown, or before.
    assert unit.settle()[-1] == "switched root"
    assert not unit.exists("RECOVERY", RECORD)


def test_bad_sectors_are_stated_and_the_other_disk_is_erased() -> None:
    unit = units.running(level=RaidLevel.RAID1, disks=2)
    bad, good = data_disks(unit)
    bad.media.unwritable = bad.media.unreadable = (Extent(5 << 30, (5 << 30) + 512),)
    erase(unit)
    verdicts = {one["verdict"] for one in disk_reports(unit)}
    assert verdicts == {"partial", "erased"}
    assert report(unit)["verdict"] == "partial"
    assert former_content(good) == []
    assert str(5 << 30) in unit.read("RECOVERY", REPORT).decode()
    assert "512 bytes could not be written, 512 bytes cannot be read" in unit.errors()


def test_a_disk_that_is_pulled_fails_alone() -> None:
    unit = units.running(level=RaidLevel.RAID1, disks=2)
    first, second = data_disks(unit)
    unit.machine.faults.append(
        Fault(kind=FaultKind.VANISH, where=f"overwrite {first.node}: under way", after=2, disk=first.serial)
    )
    erase(unit)
    assert sorted(str(one["verdict"]) for one in disk_reports(unit)) == ["erased", "failed"]
    assert former_content(second) == []
    assert report(unit)["verdict"] == "failed"


def test_a_missing_disk_makes_the_erase_incomplete() -> None:
    unit = units.running(level=RaidLevel.RAID1, disks=2)
    first, _second = data_disks(unit)
    first.detached = True
    erase(unit)
    assert report(unit)["verdict"] == "incomplete"
    assert "NOT FOUND" in unit.errors()


def test_a_used_firmware_technique_is_verified_and_certified() -> None:
    unit = units.running()
    [primary] = data_disks(unit)
    store = MediaStore(primary)
    primary.scsi_drive = SatDrive(unit.machine.clock, store, AtaModel(sectors=primary.size // 512))
    erase(unit)
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["achieved"], disk["verdict"]) == ("ata-sanitize-block", "purge", "erased")
    assert former_content(primary) == []
    assert unit.settle()[-1] == "switched root"


def test_a_sanitize_that_erases_nothing_is_noticed_and_the_disk_is_overwritten() -> None:
    unit = units.running()
    [primary] = data_disks(unit)
    faults = AtaFaults(erase_does_nothing=True)
    primary.scsi_drive = SatDrive(
        unit.machine.clock, MediaStore(primary), AtaModel(sectors=primary.size // 512), faults
    )
    erase(unit)
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["achieved"], disk["verdict"]) == ("overwrite", "clear", "erased")
    assert "ata-sanitize-block" in str(disk["tried"])
    assert former_content(primary) == []


def with_nvme(behaviour: NvmeBehaviour) -> tuple[UnitDriver, FakeDisk, SimulatedNvmeDrive]:
    """A running unit whose data disk is an NVMe drive."""
    unit = units.running()
    [primary] = data_disks(unit)
    primary.bus = Bus.NVME
    drive = SimulatedNvmeDrive(
        unit.machine.clock,
        {1: primary.size},
        ErasesMedia(primary),
        behaviour=behaviour,
    )
    primary.nvme_drive = drive
    return unit, primary, drive


def test_an_nvme_drive_is_sanitized_and_its_flash_residue_is_not_demanded_to_be_zero() -> None:
    unit, primary, _drive = with_nvme(NvmeBehaviour(leaves=0xA5))
    erase(unit)
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["achieved"], disk["verdict"]) == ("nvme-sanitize-block", "purge", "erased")
    assert former_content(primary) == []


def test_a_format_without_its_erase_setting_is_noticed() -> None:
    unit, primary, drive = with_nvme(NvmeBehaviour(drops_setting=True))
    drive.controller = replace(drive.controller, sanicap=0)
    erase(unit)
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["achieved"], disk["verdict"]) == ("overwrite", "clear", "erased")
    assert {command.dwords[0] >> 9 & 7 for command in drive.received if command.opcode == 0x80} == {1, 2}
    assert former_content(primary) == []


def test_a_sanitize_in_progress_is_followed_after_a_restart() -> None:
    unit, primary, drive = with_nvme(NvmeBehaviour(sanitize_seconds=600.0))
    begun = [name for name in unit.operations(erase) if name.startswith(f"command to {primary.node}")]
    names = list(unit.operations(erase))
    # The last command before the unit looks at the drive's progress for the second time.
    unit.cut(names.index(begun[-3]), erase)
    assert unit.settle()[-1] == "switched root"
    [disk] = disk_reports(unit)
    assert (disk["technique"], disk["verdict"]) == ("nvme-sanitize-block", "erased")
    assert sum(command.opcode == 0x84 for command in drive.received) == 1


def test_bad_sectors_before_a_cut_are_not_missed_by_a_sample(unit: UnitDriver) -> None:
    [primary] = data_disks(unit)
    bad = Extent(1 << 30, (1 << 30) + 512)
    primary.media.unwritable = (bad,)
    start = {**CONFIRMED, "DATA_ERASE_OPTIONS": "read-back:sample"}
    names = unit.operations(lambda copy: copy.boot(start))
    passes = [at for at, name in enumerate(names) if name == f"overwrite {primary.node}: under way"]
    unit.cut(passes[-1], lambda one: one.boot(start))
    unit.boot()
    [disk] = disk_reports(unit)
    assert (disk["verdict"], disk["achieved"]) == ("partial", "not classified")


def test_an_option_that_is_not_understood_stops_the_erase(unit: UnitDriver) -> None:
    written = data_disks(unit)[0].writes
    assert unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "scheme:four"}) is StopReason.REBOOT
    assert "scheme" in unit.errors()
    assert data_disks(unit)[0].writes == written


def test_a_level_that_the_disk_does_not_reach_is_a_failure(unit: UnitDriver) -> None:
    unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "level:purge"})
    assert "only to level clear instead of purge" in unit.errors()
    assert unit.boot() is StopReason.REBOOT


def test_an_erase_that_cannot_be_recorded_is_not_begun_unless_the_options_allow_it(unit: UnitDriver) -> None:
    unit.machine.disks[1].write_protected = True
    written = data_disks(unit)[0].writes
    assert erase(unit) is StopReason.REBOOT
    assert "was not begun" in unit.machine.messages[-1]
    assert "unrecorded:yes" in unit.machine.messages[-1]
    assert data_disks(unit)[0].writes == written
    unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "unrecorded:yes"})
    assert former_content(data_disks(unit)[0]) == []


@pytest.mark.parametrize(("answer", "erased"), [("yes", True), ("no", False)])
def test_a_person_decides_whether_it_is_erased_without_a_record(unit: UnitDriver, answer: str, erased: bool) -> None:
    unit.machine.disks[1].write_protected = True
    unit.machine.operator_present, unit.machine.keys = True, ["yes", "yes", answer]
    assert unit.boot(ERASE) is StopReason.REBOOT
    assert (former_content(data_disks(unit)[0]) == []) is erased
    assert "would NOT go on" in "\n".join(unit.machine.messages)
    assert ("nothing was changed" in unit.machine.messages[-1]) is not erased


def test_a_recovery_that_wears_out_during_an_erase_does_not_stop_it(unit: UnitDriver) -> None:
    names = unit.operations(erase)
    where = f"write /mnt/RECOVERY{RECORD}"
    first = next(at for at, name in enumerate(names) if name.startswith("clear"))
    before = sum(where in name for name in names[:first])
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=where, after=before, times=999))
    erase(unit)
    assert former_content(data_disks(unit)[0]) == []


def test_metadata_of_firmware_raid_is_put_back_where_the_platform_has_it(unit: UnitDriver) -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    place = Extent(primary.size - 512 - len(sectors), primary.size - 512)
    primary.media.put(place, sectors)
    erase(unit)
    assert primary.media.read(place) == sectors
    assert former_content(primary) == []
    assert "kept" in str(report(unit)["options"])
    assert not unit.exists("RECOVERY", "/log/erase_raid.json")


def test_a_cut_after_metadata_was_put_back_does_not_spoil_the_result(unit: UnitDriver) -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    primary.media.put(Extent(primary.size - 512 - len(sectors), primary.size - 512), sectors)
    names = unit.operations(erase)
    unit.cut(next(at for at, name in enumerate(names) if REPORT in name), erase)
    unit.boot()
    assert report(unit)["verdict"] == "erased"
    assert former_content(primary) == []


def test_metadata_that_a_cut_before_the_record_left_is_removed(unit: UnitDriver) -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    primary.media.put(Extent(primary.size - 512 - len(sectors), primary.size - 512), sectors)
    names = unit.operations(erase)
    unit.cut(next(at for at, name in enumerate(names) if name.startswith(f"write /mnt/RECOVERY{RECORD}")), erase)
    assert unit.exists("RECOVERY", RAID)
    restored = unit.copy()
    restored.remove_flag()
    assert restored.settle()[-1] == "switched root"
    assert not restored.exists("RECOVERY", RAID)
    # Another erase, which is not to keep it, does not put it back either.
    unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "keep-raid-metadata:no"})
    assert "not requested" in str(report(unit)["options"])
    assert "kept" not in str(report(unit)["options"])
    assert not unit.exists("RECOVERY", RAID)


def test_metadata_that_a_failed_erase_kept_is_put_back_by_the_next_one(unit: UnitDriver) -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    place = Extent(primary.size - 512 - len(sectors), primary.size - 512)
    primary.media.put(place, sectors)
    other = Extent(1 << 30, (1 << 30) + 4096)
    primary.media.dropped = (other,)
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"write blocks {primary.node}"))
    erase(unit)
    assert report(unit)["verdict"] == "partial"
    assert primary.media.read(place) != sectors
    primary.media.dropped = ()
    unit.boot(CONFIRMED)
    assert report(unit)["verdict"] == "erased"
    assert primary.media.read(place) == sectors


def test_it_is_not_kept_if_the_request_says_so(unit: UnitDriver) -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    place = Extent(primary.size - 512 - len(sectors), primary.size - 512)
    primary.media.put(place, sectors)
    unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": "keep-raid-metadata:no"})
    assert primary.media.read(place) != sectors


def test_a_report_that_reaches_the_server_gets_its_certificate(unit: UnitDriver) -> None:
    unit.boot({**CONFIRMED, "PROVISION_XLOG": "http://factory/"})
    assert unit.exists("RECOVERY", CERTIFICATE)
    assert unit.exists("RECOVERY", f"{CERTIFICATE}.sig")


def test_without_a_server_the_erase_succeeds_and_says_so(unit: UnitDriver) -> None:
    unit.factory.down = True
    unit.boot({**CONFIRMED, "PROVISION_XLOG": "http://factory/"})
    assert report(unit)["verdict"] == "erased"
    assert not unit.exists("RECOVERY", CERTIFICATE)
    assert "no certificate of the erase" in unit.warnings()


def test_a_resumed_erase_is_not_reported_as_a_failed_restore(unit: UnitDriver) -> None:
    [primary] = data_disks(unit)
    names = list(unit.operations(erase))
    unit.cut(names.index(f"overwrite {primary.node}: under way") + 2, erase)
    unit.boot()
    assert "goes on after an interruption" in unit.log()
    assert report(unit)["verdict"] == "erased"
    assert "FR_FAILED" not in unit.log()


@pytest.mark.parametrize("torn", [False, True])
def test_an_erase_that_is_cut_anywhere_ends_erased_or_unchanged_and_the_unit_runs(
    firmware: FirmwareKind, torn: bool
) -> None:
    running = units.running(firmware=firmware)
    for name, unit in running.cut_everywhere(erase, torn=torn):
        begun = unit.exists("RECOVERY", REPORT)
        assert not unit.exists("RECOVERY", RECORD) or not begun, name
        if begun:
            assert report(unit)["verdict"] == "erased", name


def test_a_simulated_erase_writes_no_file_of_this_machine(unit: UnitDriver) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in Path("/mnt/RECOVERY/log").glob("*")}

    before = files()
    erase(unit)
    assert files() == before
    assert "data_erase" not in unit.warnings()
