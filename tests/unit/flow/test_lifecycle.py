"""Provisioning, restores and normal starts on the simulated machine: what is on disks and in NVRAM then."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.disk.layout import GIB, PartitionRole, TableKind
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.events import ProcessState, Severity
from gprov.domain.formats.efi.boot_variables import BOOT_ORDER, entry_name, numbers_in, serialise_numbers
from gprov.domain.formats.efi.device_nodes import FilePath, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, decode_arguments, parse_load_option, serialise_load_option
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.image.history import parse_history
from tests.unit.flow import units
from tests.unit.flow.driver import FLAG, HISTORY, NEVER, NEWER, UnitDriver

OLDER = "WIDGET.LNX.SHINY.2025-12-31.999.upd"


def test_a_unit_is_provisioned_restores_itself_and_boots(provisioned: UnitDriver) -> None:
    assert provisioned.boot() is StopReason.REBOOT
    assert provisioned.boot() is StopReason.SWITCHED_ROOT
    assert provisioned.machine.switched_to == "/usr/lib/systemd/systemd"
    assert provisioned.factory.states == [
        ProcessState.MFG_STARTED,
        ProcessState.MFG_SUCCEEDED,
        ProcessState.FR_STARTED,
        ProcessState.FR_SUCCEEDED,
    ]


def test_what_provisioning_leaves(provisioned: UnitDriver) -> None:
    machine = provisioned.machine
    primary, recovery = machine.disks
    assert primary.table is None
    assert recovery.table is not None
    assert recovery.table.kind is TableKind.GPT
    assert [part.role for part in recovery.table.partitions] == [PartitionRole.ESP, PartitionRole.LINUX]
    assert provisioned.exists("RECOVERY", f"/Image/{IMAGE_NAME}")
    assert provisioned.read("RECOVERY", "/norm_boot") == b"ESP/norm_boot"
    assert provisioned.node("RECOVERY", "/secrets/admin.hash").mode == 0o600
    assert provisioned.node("RECOVERY", "/secrets").mode == 0o700
    assert provisioned.read("ESP", "/norm_boot") == provisioned.read("ESP", "/EFI/BOOT/BOOTX64.EFI")
    assert provisioned.factory.code_names == {SERIAL: "QEMU-mfg-test"}
    assert provisioned.factory.reported_macs == {SERIAL: ("56:78:90:00:00:01",)}
    assert list(provisioned.factory.documents) == [f"{SERIAL}_qav.htm"]


def test_a_unit_identified_by_fallback_delivers_no_qa_document() -> None:
    unit = units.blank()
    unit.machine.smbios = build_table(FakeSystem(manufacturer="ACME", product="prototype", serial=SERIAL))
    unit.provision(PROTO_IDENT="QEMU-mfg-test")
    assert unit.factory.documents == {}
    assert "identified by fallback: no QA document" in unit.warnings()


def test_provisioning_makes_the_boot_entries_and_puts_the_normal_one_first(provisioned: UnitDriver) -> None:
    variables = {name.name: variable for name, variable in provisioned.machine.nvram.items()}
    order = numbers_in(variables, BOOT_ORDER)
    assert len(order) == 1
    options = {
        option.description: decode_arguments(option.data)
        for option in (parse_load_option(variables[name].data) for name in variables if name.startswith("Boot0"))
    }
    assert options["Normal Boot"].startswith("quiet real_root=LABEL=PRIMARY")
    assert options["Data Erase (DANGER!)"] == "DATA_ERASE=1"
    assert "real_root" not in options["Forced Factory Restore"]
    assert parse_load_option(variables[entry_name(order[0])].data).description == "Normal Boot"


def test_what_a_restore_leaves(restored: UnitDriver) -> None:
    assert restored.exists("PRIMARY", FLAG)
    assert restored.read("PRIMARY", "/etc/hostname") == b"gp-sim0001\n"
    assert len(restored.read("PRIMARY", "/etc/machine-id").strip()) == 32
    assert json.loads(restored.read("PRIMARY", "/etc/provisioning/platform_facts.json"))["Serial"] == SERIAL
    shadow = restored.node("PRIMARY", "/etc/shadow")
    assert b"admin:$fake$" in shadow.content
    assert (shadow.mode, shadow.uid, shadow.gid) == (0o640, 0, 42)
    assert restored.systems() == [IMAGE_NAME]
    assert not restored.exists("RECOVERY", "/fr.data")
    result = parse_history(restored.read("RECOVERY", HISTORY)).results[0]
    assert (result.imaging_attempts, result.imaging_failures) == (1, 0)


def test_nvram_is_not_written_when_nothing_changes(restored: UnitDriver) -> None:
    before = restored.machine.nvram_writes
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.machine.nvram_writes == before


def test_twelve_restores_change_neither_nvram_nor_recovery(restored: UnitDriver) -> None:
    """Two boot entries of other systems are there, one before ours in the boot order; the first restore moves it."""
    machine = restored.machine
    foreign = (gpt_partition(1, 2048, 2048, "0fc63daf-8483-4772-8e79-3d69d8477de4"), FilePath("\\other"))
    for number in (0x42, 0x07):
        option = LoadOption(f"other {number}", foreign, b"their data")
        machine.nvram[VariableName(entry_name(number))] = Variable(7, serialise_load_option(option))
    order = VariableName(BOOT_ORDER)
    ours = numbers_in({BOOT_ORDER: machine.nvram[order]}, BOOT_ORDER)
    machine.nvram[order] = Variable(7, serialise_numbers([0x07, *ours, 0x42]))

    def restore() -> tuple[dict[VariableName, Variable], int, dict[str, Node | None]]:
        restored.remove_flag()
        assert restored.boot() is StopReason.REBOOT
        return dict(machine.nvram), machine.nvram_writes, restored.kept_on_recovery()

    first = restore()
    now = numbers_in({BOOT_ORDER: first[0][order]}, BOOT_ORDER)
    assert now == (*ours, 0x07, 0x42)
    size = machine.volume_tree("RECOVERY").size()
    for _ in range(12):
        assert restore() == first
    assert abs(machine.volume_tree("RECOVERY").size() - size) < 1000
    assert restored.boot() is StopReason.SWITCHED_ROOT


def test_a_missing_flag_file_leads_to_a_restore(restored: UnitDriver) -> None:
    restored.put("PRIMARY", "/etc/hostname", b"changed on the unit\n")
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.read("PRIMARY", "/etc/hostname") == b"gp-sim0001\n"


@pytest.mark.parametrize(("name", "taken"), [(NEWER, NEWER), (OLDER, IMAGE_NAME)])
def test_the_newest_image_is_restored(restored: UnitDriver, name: str, taken: str) -> None:
    restored.add_image(name)
    restored.remove_flag()
    restored.boot()
    assert restored.systems() == [taken]


def test_when_the_newest_image_is_damaged_the_previous_one_is_restored(restored: UnitDriver) -> None:
    damaged = bytearray(build_image(build_kernel(100)))
    damaged[len(damaged) // 2] ^= 1
    restored.put("RECOVERY", f"/Image/{NEWER}", bytes(damaged))
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.systems() == [IMAGE_NAME]
    history = parse_history(restored.read("RECOVERY", HISTORY))
    failures = {result.image: result.imaging_failures for result in history.results}
    assert failures == {NEWER.removesuffix(".upd"): 1, IMAGE_NAME.removesuffix(".upd"): 0}


def test_without_any_good_image_primary_is_not_touched(restored: UnitDriver) -> None:
    restored.put("RECOVERY", f"/Image/{IMAGE_NAME}", b"\xfd7zXZ\x00 but not really")
    restored.remove_flag()
    writes = restored.machine.disks[0].writes
    assert restored.boot() is StopReason.REBOOT
    assert restored.machine.disks[0].writes == writes
    assert "no good image" in restored.errors()
    assert restored.machine.clock.slept >= 300


def test_a_late_root_disk_does_not_lead_to_a_restore(restored: UnitDriver) -> None:
    writes = restored.machine.disks[0].writes
    restored.machine.disks[0].appears_at = 20.0
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.machine.clock.monotonic() >= 20
    assert restored.machine.disks[0].writes == writes


def test_a_root_disk_that_never_appears_is_reported_and_nothing_is_written(restored: UnitDriver) -> None:
    restored.machine.disks[0].appears_at = NEVER
    assert restored.boot() is StopReason.REBOOT
    assert "root volume not found" in restored.errors()
    assert restored.machine.disks[0].partitions


def test_a_damaged_root_is_repaired_and_booted(restored: UnitDriver) -> None:
    restored.machine.disks[0].volumes()[0].damaged = True
    assert restored.boot() is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize("kind", [FileSystemKind.EXT2, FileSystemKind.EXT3])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_root_of_another_file_system_is_mounted_as_that_file_system(
    restored: UnitDriver, kind: FileSystemKind, damaged: bool
) -> None:
    volume = restored.machine.disks[0].volumes()[0]
    volume.kind, volume.damaged = kind, damaged
    assert restored.boot() is StopReason.SWITCHED_ROOT


def test_a_root_beyond_repair_is_restored(restored: UnitDriver) -> None:
    volume = restored.machine.disks[0].volumes()[0]
    volume.damaged, volume.repairable = True, False
    assert restored.boot() is StopReason.REBOOT
    assert restored.boot() is StopReason.SWITCHED_ROOT


def test_the_recovery_disk_of_a_second_unit_stops_a_restore(restored: UnitDriver) -> None:
    restored.add_second_recovery()
    restored.remove_flag()
    writes = restored.machine.disks[0].writes
    assert restored.boot() is StopReason.REBOOT
    assert restored.machine.disks[0].writes == writes
    assert "2 volumes are labelled RECOVERY" in restored.errors()


def test_a_volume_labelled_recovery_on_another_bus_is_left_alone(restored: UnitDriver) -> None:
    """The platform says that RECOVERY is on USB; this volume is on SATA."""
    stray = restored.machine.add_disk(40 * GIB, bus=Bus.ATA, serial="stray")
    stray.partitions = [restored.machine.new_partition(1, 1 << 20, 30 * GIB, "RECOVERY")]
    stray.partitions[0].volume = FakeVolume(kind=FileSystemKind.EXT4, label="RECOVERY", uuid="stray", size=30 * GIB)
    before = restored.machine.media_state()[stray.name]
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.machine.media_state()[stray.name] == before
    assert "/dev/sdc1 is labelled RECOVERY too, but is attached by ata" in restored.log(Severity.WARNING)


def test_a_fat_stick_that_is_labelled_recovery_stops_no_restore(restored: UnitDriver) -> None:
    stick = restored.machine.add_disk(8 * GIB, bus=Bus.USB, serial="stick")
    stick.partitions = [restored.machine.new_partition(1, 1 << 20, 7 * GIB, "")]
    stick.partitions[0].volume = FakeVolume(kind=FileSystemKind.VFAT, label="RECOVERY", uuid="stick", size=7 * GIB)
    before = restored.machine.media_state()[stick.name]
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.machine.media_state()[stick.name] == before
    assert "/dev/sdc1 is labelled RECOVERY too, but holds vfat" in restored.log(Severity.WARNING)


@pytest.mark.parametrize(("in_image", "expected"), [(101, 101), (100, 100), (99, 100)])
def test_the_kernel_with_the_higher_build_number_wins(restored: UnitDriver, in_image: int, expected: int) -> None:
    restored.add_image(kernel=in_image)
    restored.remove_flag()
    assert restored.boot() is StopReason.REBOOT
    assert restored.build_number("ESP", "/norm_boot") == expected
    assert restored.build_number("PRIMARY", "/boot/norm_boot") == expected


def test_lost_nvram_boots_through_the_fallback_loader_and_wipes_nothing(restored: UnitDriver) -> None:
    writes = restored.machine.disks[0].writes
    restored.machine.nvram.clear()
    assert restored.boot() is StopReason.SWITCHED_ROOT
    assert restored.machine.disks[0].writes == writes


def test_no_secret_is_reported_or_stored_in_clear(blank: UnitDriver) -> None:
    blank.provision()
    blank.boot()
    said = blank.told() + repr(blank.factory.documents)
    for secret in (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}"):
        assert secret not in said
        for disk in blank.machine.disks:
            for volume in disk.volumes():
                for path in volume.current.paths():
                    node = volume.current.get(path)
                    assert node is not None
                    assert secret.encode() not in node.content
