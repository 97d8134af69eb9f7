"""The whole life of a unit on the simulated machine: what its disks, its NVRAM and the factory hold afterwards."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.apps.host.simulation.world import IMAGE_NAME, SERIAL, World, new_world
from gprov.domain.disk.layout import GIB, PartitionRole, TableKind
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.event_text import body_text, severity_of
from gprov.domain.events import LogLine, ProcessState, Severity
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.formats.efi.boot_variables import BOOT_ORDER, entry_name, numbers_in, serialise_numbers
from gprov.domain.formats.efi.device_nodes import FilePath, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, decode_arguments, parse_load_option, serialise_load_option
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.image.history import parse_history

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
OLDER = "WIDGET.LNX.SHINY.2025-12-31.999.upd"


@pytest.fixture
def provisioned() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    return world


@pytest.fixture
def restored(provisioned: World) -> World:
    assert provisioned.boot() is Stop.REBOOT
    return provisioned


def put(machine: SimulatedMachine, label: str, path: str, content: bytes) -> None:
    """Change a file between two starts, as a person or an update service does."""
    tree = machine.tree(label)
    tree.put(path, Node(type=FileType.FILE, content=content))
    machine.flush()


def drop(machine: SimulatedMachine, label: str, path: str) -> None:
    machine.tree(label).drop(path)
    machine.flush()


def errors(sink: MemorySink) -> list[str]:
    return [
        event.body.text
        for event in sink.events
        if isinstance(event.body, LogLine) and event.body.severity is Severity.ERROR
    ]


def disktags(machine: SimulatedMachine) -> list[str]:
    return [path for path in machine.tree("PRIMARY").paths() if path.endswith(".disktag")]


def test_a_unit_is_provisioned_restores_itself_and_boots(provisioned: World) -> None:
    assert provisioned.boot() is Stop.REBOOT
    assert provisioned.boot() is Stop.SWITCHED_ROOT
    assert provisioned.machine.switched_to == "/usr/lib/systemd/systemd"
    assert provisioned.factory.states == [
        ProcessState.MFG_STARTED,
        ProcessState.MFG_SUCCEEDED,
        ProcessState.FR_STARTED,
        ProcessState.FR_SUCCEEDED,
    ]


def test_what_provisioning_leaves(provisioned: World) -> None:
    machine = provisioned.machine
    primary, recovery = machine.disks
    assert primary.table is None
    assert recovery.table is not None
    assert recovery.table.kind is TableKind.GPT
    assert [part.role for part in recovery.table.partitions] == [PartitionRole.ESP, PartitionRole.LINUX]
    tree = machine.tree("RECOVERY")
    assert tree.get(f"/Image/{IMAGE_NAME}") is not None
    assert (tree.get("/norm_boot") or Node(type=FileType.OTHER)).content == b"ESP/norm_boot"
    secret = tree.get("/secrets/admin.hash")
    assert secret is not None
    assert secret.mode == 0o600
    folder = tree.get("/secrets")
    assert folder is not None
    assert folder.mode == 0o700
    kernel, fallback = machine.tree("ESP").get("/norm_boot"), machine.tree("ESP").get("/EFI/BOOT/BOOTX64.EFI")
    assert kernel is not None
    assert fallback is not None
    assert kernel.content == fallback.content
    assert provisioned.factory.code_names == {SERIAL: "QEMU-mfg-test"}
    assert provisioned.factory.reported_macs == {SERIAL: ("56:78:90:00:00:01",)}
    assert list(provisioned.factory.documents) == [f"QA-{SERIAL}.txt"]


def test_boot_entries(provisioned: World) -> None:
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


def test_what_a_restore_leaves(restored: World) -> None:
    tree = restored.machine.tree("PRIMARY")
    assert tree.get("/boot.normal") is not None
    assert (tree.get("/etc/hostname") or Node(type=FileType.OTHER)).content == b"gp-sim0001\n"
    machine_id = tree.get("/etc/machine-id")
    assert machine_id is not None
    assert len(machine_id.content.strip()) == 32
    facts = tree.get("/etc/provisioning/platform_facts.json")
    assert facts is not None
    assert json.loads(facts.content)["Serial"] == SERIAL
    shadow = tree.get("/etc/shadow")
    assert shadow is not None
    assert b"admin:$fake$" in shadow.content
    assert (shadow.mode, shadow.uid, shadow.gid) == (0o640, 0, 42)
    assert disktags(restored.machine) == [f"/{IMAGE_NAME.removesuffix('.upd')}.disktag"]
    recovery = restored.machine.tree("RECOVERY")
    assert recovery.get("/fr.data") is None
    history = recovery.get("/log/recovery_history.json")
    assert history is not None
    result = parse_history(history.content).results[0]
    assert (result.imaging_attempts, result.imaging_failures) == (1, 0)


def test_nvram_is_not_written_when_nothing_changes(restored: World) -> None:
    before = restored.machine.nvram_writes
    drop(restored.machine, "PRIMARY", "/boot.normal")
    assert restored.boot() is Stop.REBOOT
    assert restored.boot() is Stop.SWITCHED_ROOT
    assert restored.machine.nvram_writes == before


def test_twelve_restores_leave_nvram_and_recovery_as_they_are(restored: World) -> None:
    """With entries of somebody else, one of them in front of ours: that one changes place, once."""
    machine = restored.machine
    foreign = (gpt_partition(1, 2048, 2048, "0fc63daf-8483-4772-8e79-3d69d8477de4"), FilePath("\\other"))
    for number in (0x42, 0x07):
        option = LoadOption(f"other {number}", foreign, b"their data")
        machine.nvram[VariableName(entry_name(number))] = Variable(7, serialise_load_option(option))
    order = VariableName(BOOT_ORDER)
    ours = numbers_in({BOOT_ORDER: machine.nvram[order]}, BOOT_ORDER)
    machine.nvram[order] = Variable(7, serialise_numbers([0x07, *ours, 0x42]))

    def restore() -> tuple[dict[VariableName, Variable], int, dict[str, Node | None]]:
        drop(machine, "PRIMARY", "/boot.normal")
        assert restored.boot() is Stop.REBOOT
        tree = machine.tree("RECOVERY")
        counts = ("/log/recovery_history.json", "/log/start_budget.json")
        kept = {path: tree.get(path) for path in tree.paths() if not path.startswith(counts)}
        return dict(machine.nvram), machine.nvram_writes, kept

    first = restore()
    now = numbers_in({BOOT_ORDER: first[0][order]}, BOOT_ORDER)
    assert now == (*ours, 0x07, 0x42)
    size = machine.tree("RECOVERY").size()
    for _ in range(12):
        assert restore() == first
    assert abs(machine.tree("RECOVERY").size() - size) < 1000
    assert restored.boot() is Stop.SWITCHED_ROOT


def test_a_missing_flag_file_leads_to_a_restore(restored: World) -> None:
    put(restored.machine, "PRIMARY", "/etc/hostname", b"somebody changed this\n")
    drop(restored.machine, "PRIMARY", "/boot.normal")
    assert restored.boot() is Stop.REBOOT
    assert restored.boot() is Stop.SWITCHED_ROOT
    assert (
        restored.machine.tree("PRIMARY").get("/etc/hostname") or Node(type=FileType.OTHER)
    ).content == b"gp-sim0001\n"


@pytest.mark.parametrize(("name", "taken"), [(NEWER, NEWER), (OLDER, IMAGE_NAME)])
def test_the_newest_image_is_restored(restored: World, name: str, taken: str) -> None:
    put(restored.machine, "RECOVERY", f"/Image/{name}", build_image(build_kernel(100)))
    drop(restored.machine, "PRIMARY", "/boot.normal")
    restored.boot()
    assert disktags(restored.machine) == [f"/{taken.removesuffix('.upd')}.disktag"]


def test_a_damaged_newest_image_gives_way_to_the_previous(restored: World) -> None:
    damaged = bytearray(build_image(build_kernel(100)))
    damaged[len(damaged) // 2] ^= 1
    put(restored.machine, "RECOVERY", f"/Image/{NEWER}", bytes(damaged))
    drop(restored.machine, "PRIMARY", "/boot.normal")
    assert restored.boot() is Stop.REBOOT
    assert disktags(restored.machine) == [f"/{IMAGE_NAME.removesuffix('.upd')}.disktag"]
    history = restored.machine.tree("RECOVERY").get("/log/recovery_history.json")
    assert history is not None
    failures = {result.image: result.imaging_failures for result in parse_history(history.content).results}
    assert failures == {NEWER.removesuffix(".upd"): 1, IMAGE_NAME.removesuffix(".upd"): 0}


def test_without_any_good_image_primary_is_not_touched(restored: World) -> None:
    sink = MemorySink()
    restored.sinks = (sink,)
    put(restored.machine, "RECOVERY", f"/Image/{IMAGE_NAME}", b"\xfd7zXZ\x00 but not really")
    drop(restored.machine, "PRIMARY", "/boot.normal")
    writes = restored.machine.disks[0].writes
    assert restored.boot() is Stop.REBOOT
    assert restored.machine.disks[0].writes == writes
    assert any("no good image" in text for text in errors(sink))
    assert restored.machine.clock.slept >= 300


def test_a_late_root_disk_does_not_lead_to_a_restore(restored: World) -> None:
    writes = restored.machine.disks[0].writes
    restored.machine.disks[0].appears_at = 20.0
    assert restored.boot() is Stop.SWITCHED_ROOT
    assert restored.machine.clock.monotonic() >= 20
    assert restored.machine.disks[0].writes == writes


def test_a_root_disk_that_never_appears_is_reported_and_nothing_is_written(restored: World) -> None:
    sink = MemorySink()
    restored.sinks = (sink,)
    restored.machine.disks[0].appears_at = 1e9
    assert restored.boot() is Stop.REBOOT
    assert any("root does not appear" in text for text in errors(sink))
    assert restored.machine.disks[0].partitions


def test_a_damaged_root_is_repaired_and_booted(restored: World) -> None:
    restored.machine.disks[0].volumes()[0].damaged = True
    assert restored.boot() is Stop.SWITCHED_ROOT


@pytest.mark.parametrize("kind", [FileSystemKind.EXT2, FileSystemKind.EXT3])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_root_of_another_file_system_is_mounted_as_what_it_is(
    restored: World, kind: FileSystemKind, damaged: bool
) -> None:
    volume = restored.machine.disks[0].volumes()[0]
    volume.kind, volume.damaged = kind, damaged
    assert restored.boot() is Stop.SWITCHED_ROOT


def test_a_root_beyond_repair_is_restored(restored: World) -> None:
    volume = restored.machine.disks[0].volumes()[0]
    volume.damaged, volume.repairable = True, False
    assert restored.boot() is Stop.REBOOT
    assert restored.boot() is Stop.SWITCHED_ROOT


def test_a_second_unit_s_recovery_stick_stops_a_restore(restored: World) -> None:
    sink = MemorySink()
    restored.sinks = (sink,)
    recovery = restored.machine.disks[1]
    twin = restored.machine.add_disk(recovery.size, bus=Bus.USB, serial="twin")
    twin.partitions, twin.table = list(recovery.partitions), recovery.table
    drop(restored.machine, "PRIMARY", "/boot.normal")
    writes = restored.machine.disks[0].writes
    assert restored.boot() is Stop.REBOOT
    assert restored.machine.disks[0].writes == writes
    assert any("2 volumes are labelled RECOVERY" in text for text in errors(sink))


def test_a_volume_labelled_recovery_on_another_bus_is_left_alone(restored: World) -> None:
    """The platform says USB: what hangs on SATA was never this unit's RECOVERY."""
    sink = MemorySink()
    restored.sinks = (sink,)
    stray = restored.machine.add_disk(40 * GIB, bus=Bus.ATA, serial="stray")
    stray.partitions = [restored.machine.new_partition(1, 1 << 20, 30 * GIB, "RECOVERY")]
    stray.partitions[0].volume = FakeVolume(kind=FileSystemKind.EXT4, label="RECOVERY", uuid="stray", size=30 * GIB)
    before = restored.machine.storage()[stray.name]
    drop(restored.machine, "PRIMARY", "/boot.normal")
    assert restored.boot() is Stop.REBOOT
    assert restored.boot() is Stop.SWITCHED_ROOT
    assert restored.machine.storage()[stray.name] == before
    warnings = [body_text(event.body) for event in sink.events if severity_of(event.body) is Severity.WARNING]
    assert any("/dev/sdc1 is labelled RECOVERY too, but is attached by ata" in text for text in warnings)


def kernel_on_esp(world: World) -> int | None:
    node = world.machine.tree("ESP").get("/norm_boot")
    return parse_bzimage(node.content).build_number if node is not None else None


@pytest.mark.parametrize(("in_image", "expected"), [(101, 101), (100, 100), (99, 100)])
def test_the_kernel_with_the_higher_build_number_wins(restored: World, in_image: int, expected: int) -> None:
    put(restored.machine, "RECOVERY", f"/Image/{NEWER}", build_image(build_kernel(in_image)))
    drop(restored.machine, "PRIMARY", "/boot.normal")
    assert restored.boot() is Stop.REBOOT
    assert kernel_on_esp(restored) == expected
    on_primary = restored.machine.tree("PRIMARY").get("/boot/norm_boot")
    assert on_primary is not None
    assert parse_bzimage(on_primary.content).build_number == expected


def test_lost_nvram_boots_through_the_fallback_loader_and_wipes_nothing(restored: World) -> None:
    writes = restored.machine.disks[0].writes
    restored.machine.nvram.clear()
    assert restored.boot() is Stop.SWITCHED_ROOT
    assert restored.machine.disks[0].writes == writes


def test_no_secret_is_said_or_stored_in_clear(provisioned: World) -> None:
    sink = MemorySink()
    world = new_world()
    world.sinks = (sink,)
    world.provision()
    world.boot()
    said = repr([event.body for event in sink.events]) + repr(world.factory.received) + repr(world.factory.documents)
    for secret in (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}"):
        assert secret not in said
        for disk in world.machine.disks:
            for volume in disk.volumes():
                for path in volume.current.paths():
                    node = volume.current.get(path)
                    assert node is not None
                    assert secret.encode() not in node.content
