from __future__ import annotations

import pytest

from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.records import HistoryFile, read_options
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import recovery_table
from gprov.domain.events import LogLine, Severity
from gprov.domain.image.history import History, parse_history
from gprov.domain.mountpoints import MountPoints
from gprov.domain.platform.default_table import default_table
from gprov.domain.unit.restore_options import RestoreOptions, serialise_options

IMAGE = "WIDGET.LNX.SHINY.2026-01-15.1"
FOLDER = "/mnt/RECOVERY/log"
HISTORY = f"{FOLDER}/recovery_history.json"


@pytest.fixture
def machine() -> SimulatedMachine:
    machine = SimulatedMachine()
    machine.add_disk(4 * GIB)
    disk = FakeBlockDevices(machine).disks()[0]
    disk = FakePartitioner(machine).write(disk, recovery_table(FirmwareKind.UEFI, disk.size))
    node = disk.partitions[1].node
    FakeFileSystems(machine).make(node, FileSystemSpec(kind=FileSystemKind.EXT4, label="RECOVERY"))
    FakeMounts(machine).mount(node, "/mnt/RECOVERY", "ext4")
    return machine


@pytest.fixture
def files(machine: SimulatedMachine) -> FakeFiles:
    return FakeFiles(machine)


@pytest.fixture
def bus(machine: SimulatedMachine) -> EventBus:
    return EventBus(machine.clock)


@pytest.fixture
def context(bus: EventBus) -> UnitContext:
    return UnitContext(
        branding=Branding(),
        mount_points=MountPoints(),
        arguments=BootArguments(),
        bus=bus,
        load_platforms=default_table,
    )


def warnings(bus: EventBus) -> list[str]:
    return [
        event.body.text
        for event in bus.events
        if isinstance(event.body, LogLine) and event.body.severity in (Severity.WARNING, Severity.ERROR)
    ]


def test_what_is_recorded_is_on_the_medium(machine: SimulatedMachine, files: FakeFiles, bus: EventBus) -> None:
    history = HistoryFile(files, FOLDER, bus)
    assert history.value == History()
    history.record(history.value.with_attempt(IMAGE).with_failure(IMAGE, "because"))
    machine.restart()
    stored = machine.volume_tree("RECOVERY").get("/log/recovery_history.json")
    assert stored is not None
    assert parse_history(stored.content).failures(IMAGE) == 1
    assert warnings(bus) == []


def test_a_history_is_read_back_and_cleared(files: FakeFiles, bus: EventBus) -> None:
    first = HistoryFile(files, FOLDER, bus)
    first.record(first.value.with_attempt(IMAGE))
    again = HistoryFile(files, FOLDER, bus)
    assert again.value == first.value
    again.clear()
    assert HistoryFile(files, FOLDER, bus).value == History()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"ImageResults": 5}', b'{"ImageResults": [{"Image": 1}]}']
)
def test_a_damaged_history_is_set_aside_and_a_new_one_begun(files: FakeFiles, bus: EventBus, content: bytes) -> None:
    files.replace(HISTORY, content)
    history = HistoryFile(files, FOLDER, bus)
    assert history.value == History()
    assert len(warnings(bus)) == 1
    assert warnings(bus)[0].startswith("the history is damaged: ")
    assert files.read(f"{HISTORY}.damaged") == content
    history.record(history.value.with_attempt(IMAGE))
    assert parse_history(files.read(HISTORY)).result(IMAGE).imaging_attempts == 1


def test_a_history_that_is_a_folder_stops_nothing(files: FakeFiles, bus: EventBus) -> None:
    files.make_folder(HISTORY)
    history = HistoryFile(files, FOLDER, bus)
    history.record(history.value.with_attempt(IMAGE))
    assert files.names(f"{HISTORY}.damaged") == ()
    assert history.value.result(IMAGE).imaging_attempts == 1


def test_a_history_that_cannot_be_written_stops_nothing(
    machine: SimulatedMachine, files: FakeFiles, bus: EventBus
) -> None:
    history = HistoryFile(files, FOLDER, bus)
    machine.mounts[0].read_only = True
    history.record(history.value.with_attempt(IMAGE))
    assert history.value.result(IMAGE).imaging_attempts == 1
    assert warnings(bus) == [f"the history could not be written: {HISTORY}: read-only file system"]


def test_options_are_read(files: FakeFiles, bus: EventBus, context: UnitContext) -> None:
    assert read_options(files, context) == RestoreOptions()
    options = RestoreOptions(preserve=True, xlog="http://factory.invalid/", boot_args="a=b")
    files.replace("/mnt/RECOVERY/fr.data", serialise_options(options))
    assert read_options(files, context) == options
    assert warnings(bus) == []


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"", "fr.data"), (b'{"Preserve": "yes"}', "$.Preserve"), (b'{"BootArgs": "a\\nb"}', "$.BootArgs"), (b"[]", "$")],
)
def test_damaged_options_count_as_none_and_are_reported(
    files: FakeFiles, bus: EventBus, context: UnitContext, content: bytes, place: str
) -> None:
    files.replace("/mnt/RECOVERY/fr.data", content)
    assert read_options(files, context) == RestoreOptions()
    assert warnings(bus)[0].startswith("/mnt/RECOVERY/fr.data: ")
    assert place in warnings(bus)[0]


def test_options_that_cannot_be_read_count_as_none(files: FakeFiles, bus: EventBus, context: UnitContext) -> None:
    files.make_folder("/mnt/RECOVERY/fr.data")
    assert read_options(files, context) == RestoreOptions()
    assert warnings(bus) == ["/mnt/RECOVERY/fr.data: is not a file"]
