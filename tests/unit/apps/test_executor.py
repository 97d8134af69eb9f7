from __future__ import annotations

from dataclasses import replace

import pytest
from typing_extensions import override

from gprov.adapters.fake.archive.archives import FakeArchives
from gprov.adapters.fake.disk.arrays import FakeArrays
from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.firmware.secure_boot import FakeCodeSignatures
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.origin import FakeOrigin, ServerFault
from gprov.apps.unit.execution.destructive_ports import DestructivePorts
from gprov.apps.unit.execution.executor import Executor, PlanPorts
from gprov.apps.unit.execution.fetch import fetch_file
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.errors import DeviceFault, IntegrityFault, InternalError, NetworkFault
from gprov.domain.events import OperationPhase, OperationReport
from gprov.domain.files import Digests, Usage
from gprov.domain.plan.disk_operations import (
    ClearDisk,
    CreatePartitionTable,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    UnmountVolume,
)
from gprov.domain.plan.file_operations import FetchFile, MakeFolder, MakeSymlink, RemovePath, SetFlag, WriteFile
from gprov.domain.plan.operations import Operation

URL = "http://factory.invalid/file"
CONTENT = b"what was meant to come"


@pytest.fixture
def machine() -> SimulatedMachine:
    machine = SimulatedMachine()
    machine.add_disk(20 * GIB)
    return machine


@pytest.fixture
def bus(machine: SimulatedMachine) -> EventBus:
    return EventBus(machine.clock)


def plan_ports(machine: SimulatedMachine, origin: FakeOrigin) -> PlanPorts:
    return PlanPorts(
        blocks=FakeBlockDevices(machine),
        arrays=lambda: FakeArrays(machine),
        code_signatures=FakeCodeSignatures,
        sealing=lambda: TpmSealing(FakeTpm(machine), machine.clock),
        filesystems=lambda: FakeFileSystems(machine),
        mounts=FakeMounts(machine),
        files=FakeFiles(machine),
        firmware=lambda: FakeFirmware(machine),
        http=FakeHttp(machine, origin),
        clock=machine.clock,
    )


def destructive_ports(machine: SimulatedMachine) -> DestructivePorts:
    return DestructivePorts(
        partitioner=FakePartitioner(machine),
        filesystem_maker=FakeFileSystems(machine),
        array_writer=FakeArrays(machine),
        image_unpacker=FakeArchives(machine),
        variable_writer=FakeFirmware(machine),
    )


@pytest.fixture
def executor(machine: SimulatedMachine, bus: EventBus) -> Executor:
    return Executor(plan_ports(machine, FakeOrigin(content={URL: CONTENT})), destructive_ports(machine), bus)


def steps(bus: EventBus) -> list[tuple[OperationPhase, str]]:
    return [
        (event.body.phase, event.body.description) for event in bus.events if isinstance(event.body, OperationReport)
    ]


def test_operations_are_reported_and_carried_out(machine: SimulatedMachine, bus: EventBus, executor: Executor) -> None:
    disk = FakeBlockDevices(machine).disks()[0]
    table = primary_table(FirmwareKind.UEFI, disk.size, raid=False)
    where = PartitionRef(disk, 1)
    plan: tuple[Operation, ...] = (
        ClearDisk(disk, 1 << 20, 1 << 20),
        CreatePartitionTable(disk, table),
        MakeFileSystem(where, FileSystemSpec(kind=FileSystemKind.EXT4, label="DATA")),
        MountVolume(where, "/mnt/data", "ext4"),
        MakeFolder("/mnt/data/folder", 0o700),
        WriteFile(path="/mnt/data/folder/file", content=b"text", mode=0o600),
        MakeSymlink("/mnt/data/link", "folder/file"),
        RemovePath("/mnt/data/nothing"),
        FetchFile(url=URL, target="/mnt/data/fetched", sha1="", sha256=""),
        SetFlag("/mnt/data/flag"),
        FlushVolume("/mnt/data"),
        UnmountVolume("/mnt/data"),
    )
    executor.run(plan)
    assert steps(bus) == [
        (phase, operation.describe()) for operation in plan for phase in (OperationPhase.STARTED, OperationPhase.DONE)
    ]
    assert executor.completed == plan
    tree = machine.volume_tree("DATA")
    assert tree.paths() == ("/", "/fetched", "/flag", "/folder", "/folder/file", "/link")
    file, flag = tree.get("/folder/file"), tree.get("/flag")
    assert file is not None
    assert flag is not None
    assert (file.content, file.mode, flag.content) == (b"text", 0o600, b"")
    assert machine.mounts == []


def test_the_first_failure_is_reported_and_ends_the_plan(
    machine: SimulatedMachine, bus: EventBus, executor: Executor
) -> None:
    disk = FakeBlockDevices(machine).disks()[0]
    with pytest.raises(DeviceFault) as caught:
        executor.run((MakeFolder("/run/a"), UnmountVolume("/mnt/data"), ClearDisk(disk, 1, 1)))
    assert executor.completed == (MakeFolder("/run/a"),)
    assert machine.disks[0].writes == 0
    last = bus.events[-1].body
    assert isinstance(last, OperationReport)
    assert (last.phase, last.description) == (OperationPhase.FAILED, "unmount /mnt/data")
    assert last.error == str(caught.value)


def test_a_plan_that_uses_a_partition_too_early_is_wrong(machine: SimulatedMachine, executor: Executor) -> None:
    disk = FakeBlockDevices(machine).disks()[0]
    with pytest.raises(InternalError, match="partition 1 of /dev/sda"):
        executor.run((MountVolume(PartitionRef(disk, 1), "/mnt/data", "ext4"),))


class LyingFiles(FakeFiles):
    """A medium that gives back other bytes than were written to it."""

    @override
    def digests(self, path: str) -> Digests:
        honest = super().digests(path)
        return Digests(honest.size, honest.sha1[::-1], honest.sha256[::-1])


def fetch(machine: SimulatedMachine, bus: EventBus, files: FakeFiles, wanted: FetchFile, *, down: bool = False) -> None:
    files.make_folder("/run")
    fetch_file(FakeHttp(machine, FakeOrigin(content={URL: CONTENT}, down=down)), files, wanted, bus)


RESERVE = (1 << 30) // 16  # of a volume of 1 GiB


class FullFiles(FakeFiles):
    """``free`` bytes are left on every volume."""

    free = 0

    @override
    def usage(self, path: str) -> Usage:
        return Usage(1 << 30, self.free)


def test_what_does_not_fit_is_not_fetched(machine: SimulatedMachine, bus: EventBus) -> None:
    files, wanted = FullFiles(machine), good_hashes(machine)
    files.free = RESERVE + len(CONTENT) - 1
    with pytest.raises(NetworkFault, match=f"has {len(CONTENT)} bytes, and {len(CONTENT) - 1} are left for it"):
        fetch(machine, bus, files, wanted)
    assert files.status("/run/target") is None
    with pytest.raises(DeviceFault, match=rf"/run: {URL} has {len(CONTENT)} bytes, and {len(CONTENT) - 1} are left"):
        fetch(machine, bus, files, replace(wanted, size=len(CONTENT)), down=True)
    assert files.names("/run") == ()
    # What an earlier run left is overwritten: its room counts.
    files.replace("/run/target.partial", b"x")
    fetch(machine, bus, files, wanted)
    assert files.read("/run/target") == CONTENT


def good_hashes(machine: SimulatedMachine) -> FetchFile:
    files = FakeFiles(machine)
    files.replace("/run/model", CONTENT)
    digests = files.digests("/run/model")
    files.remove("/run/model")
    return FetchFile(url=URL, target="/run/target", sha1=digests.sha1, sha256=digests.sha256.upper())


def test_a_file_that_is_right_replaces_the_old_one(machine: SimulatedMachine, bus: EventBus) -> None:
    files = FakeFiles(machine)
    files.replace("/run/target", b"old")
    fetch(machine, bus, files, good_hashes(machine))
    assert files.read("/run/target") == CONTENT
    assert files.names("/run") == ("target",)


@pytest.mark.parametrize(("sha1", "sha256", "said"), [("", "0" * 64, "SHA-256"), ("0" * 40, "", "SHA-1")])
def test_a_wrong_hash_leaves_the_old_file_and_no_partial_one(
    machine: SimulatedMachine, bus: EventBus, sha1: str, sha256: str, said: str
) -> None:
    files = FakeFiles(machine)
    files.replace("/run/target", b"old")
    with pytest.raises(IntegrityFault, match=f"{URL}: {said} is .*, not {sha1 or sha256} .22 bytes"):
        fetch(machine, bus, files, FetchFile(url=URL, target="/run/target", sha1=sha1, sha256=sha256))
    assert files.read("/run/target") == b"old"
    assert files.names("/run") == ("target",)


def test_a_medium_that_changes_what_it_is_given_is_found_out(machine: SimulatedMachine, bus: EventBus) -> None:
    files = LyingFiles(machine)
    files.replace("/run/target", b"old")
    with pytest.raises(IntegrityFault, match=r"/run/target.partial: the medium gives back other bytes"):
        fetch(machine, bus, files, good_hashes(machine))
    assert files.read("/run/target") == b"old"
    assert files.names("/run") == ("target",)


def test_a_medium_that_lies_is_found_out_without_any_hash_in_the_list(machine: SimulatedMachine, bus: EventBus) -> None:
    files = LyingFiles(machine)
    with pytest.raises(IntegrityFault, match=r"/run/target.partial"):
        fetch(machine, bus, files, FetchFile(url=URL, target="/run/target", sha1="", sha256=""))
    assert files.names("/run") == ()


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_file_of_another_size_than_stated_is_not_fetched(machine: SimulatedMachine, bus: EventBus, size: int) -> None:
    files = FakeFiles(machine)
    with pytest.raises(NetworkFault, match=f"has {len(CONTENT)} bytes, and its Size in manufData.json is {size}"):
        fetch(machine, bus, files, replace(good_hashes(machine), size=size))
    assert files.names("/run") == ()
    fetch(machine, bus, files, replace(good_hashes(machine), size=len(CONTENT)))
    assert files.names("/run") == ("target",)


def test_nothing_is_left_of_a_download_that_failed(machine: SimulatedMachine, bus: EventBus) -> None:
    files = FakeFiles(machine)
    files.make_folder("/run")
    origin = FakeOrigin(content={URL: CONTENT}, faults={URL: ServerFault.OVERSTATES})
    with pytest.raises(NetworkFault, match="ended after 11 of 22 bytes"):
        fetch_file(FakeHttp(machine, origin), files, good_hashes(machine), bus)
    assert files.names("/run") == ()


def test_a_server_that_does_not_answer(machine: SimulatedMachine, bus: EventBus) -> None:
    files = FakeFiles(machine)
    files.replace("/run/target", b"old")
    with pytest.raises(NetworkFault, match=URL):
        fetch(machine, bus, files, good_hashes(machine), down=True)
    assert files.read("/run/target") == b"old"
