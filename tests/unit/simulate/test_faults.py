"""Faults of the simulated machine: what they do, and that a unit survives each of them at every operation."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakePartition, FakeVolume, Node
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import Script, Step, Verb
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB, PartitionTable
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType
from gprov.domain.platform.model import RaidLevel
from tests.unit.simulate.replays import provisioned

DATA = b"12345678"


@pytest.fixture
def machine() -> SimulatedMachine:
    """With an ext4 that is mounted at /v."""
    made = SimulatedMachine()
    disk = made.add_disk(4 * GIB, serial="disk")
    part = made.new_partition(1, 1 << 20, GIB, "")
    part.volume = FakeVolume(kind=FileSystemKind.EXT4, label="V", uuid="u", size=GIB)
    disk.partitions.append(part)
    FakeMounts(made).mount("/dev/sda1", "/v", "ext4")
    return made


def volume(machine: SimulatedMachine) -> FakeVolume:
    found = machine.disks[0].partitions[0].volume
    assert found is not None
    return found


def content(machine: SimulatedMachine, path: str = "/file") -> bytes | None:
    node = volume(machine).current.get(path)
    return node.content if node is not None else None


# --- writes that store less -------------------------------------------------------------------------------------------


def test_a_short_write_is_an_error_and_the_old_file_stays(machine: SimulatedMachine) -> None:
    files = FakeFiles(machine)
    files.replace("/v/file", b"old")
    machine.faults.append(Fault(kind=FaultKind.SHORT, where="/v/file"))
    with pytest.raises(DeviceFault, match="only a part"):
        files.replace("/v/file", DATA)
    assert content(machine) == b"old"
    assert files.names("/v") == ("file",)
    files.replace("/v/file", DATA)
    assert content(machine) == DATA


def test_a_short_write_in_place_leaves_a_part_of_the_file(machine: SimulatedMachine) -> None:
    machine.faults.append(Fault(kind=FaultKind.SHORT, where="/v/file"))
    with pytest.raises(DeviceFault, match="only a part"):
        FakeFiles(machine).stream("/v/file", DATA, whole=True)
    assert content(machine) == DATA[:4]


def test_a_silent_loss_is_reported_by_the_first_flush_only(machine: SimulatedMachine) -> None:
    files = FakeFiles(machine)
    machine.faults.append(Fault(kind=FaultKind.SILENT, where="/v/file"))
    files.stream("/v/file", DATA, whole=False)
    assert content(machine) == DATA
    with pytest.raises(DeviceFault, match="cannot flush"):
        files.sync("/v")
    assert content(machine) == DATA[:4]
    files.sync("/v")
    machine.restart()
    assert content(machine) == DATA[:4]


def test_a_silent_loss_follows_a_renamed_file_and_ends_with_a_removed_one(machine: SimulatedMachine) -> None:
    there = volume(machine)
    for name in ("/moved", "/dropped", "/again"):
        there.write(name, Node(type=FileType.FILE, content=DATA))
        there.failing.add(name)
    there.move("/moved", "/new")
    there.drop("/dropped")
    there.write("/again", Node(type=FileType.FILE, content=DATA))
    assert there.flush_file("/again")
    assert not there.flush_file("/new")
    assert there.sync()
    assert (content(machine, "/new"), content(machine, "/again")) == (DATA[:4], DATA)


def test_replace_reports_a_silent_loss_and_keeps_the_old_file(machine: SimulatedMachine) -> None:
    files = FakeFiles(machine)
    files.replace("/v/file", b"old")
    machine.faults.append(Fault(kind=FaultKind.SILENT, where="/v/file"))
    with pytest.raises(DeviceFault, match="cannot flush"):
        files.replace("/v/file", DATA)
    assert content(machine) == b"old"


def test_rename_reports_a_silent_loss(machine: SimulatedMachine) -> None:
    files = FakeFiles(machine)
    machine.faults.append(Fault(kind=FaultKind.SILENT, where="/v/file"))
    files.stream("/v/file.part", DATA, whole=False)
    with pytest.raises(DeviceFault, match="cannot flush"):
        files.rename("/v/file.part", "/v/file")


def test_unmount_reports_a_silent_loss_and_unmounts(machine: SimulatedMachine) -> None:
    machine.faults.append(Fault(kind=FaultKind.SILENT, where="/v/file"))
    FakeFiles(machine).stream("/v/file", DATA, whole=False)
    with pytest.raises(DeviceFault, match="unmounted, but data was lost"):
        FakeMounts(machine).unmount("/v")
    assert FakeMounts(machine).mounted() == ()


@pytest.mark.parametrize("kind", [FaultKind.SHORT, FaultKind.SILENT])
def test_raw_writes_that_store_less_leave_no_file_system_and_no_table(
    machine: SimulatedMachine, kind: FaultKind
) -> None:
    FakeMounts(machine).unmount("/v")
    machine.faults = [Fault(kind=kind, where="format"), Fault(kind=kind, where="partition")]
    with pytest.raises(DeviceFault, match="only a part"):
        FakeFileSystems(machine).make("/dev/sda1", FileSystemSpec(kind=FileSystemKind.EXT4, label="NEW"))
    assert FakeBlockDevices(machine).contents("/dev/sda1").label == ""
    [disk] = FakeBlockDevices(machine).disks()
    table = machine.disks[0].table
    assert table is None
    with pytest.raises(DeviceFault, match="only a part"):
        FakePartitioner(machine).write(disk, a_table())
    assert FakeBlockDevices(machine).disks()[0].partitions == ()


def a_table() -> PartitionTable:
    world = new_world()
    world.provision()
    table = world.machine.disks[1].table
    assert table is not None
    return table


# --- disks that go ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [True, False])
def test_a_vanished_disk_fails_every_operation_and_comes_back_or_not(machine: SimulatedMachine, back: bool) -> None:
    files = FakeFiles(machine)
    files.replace("/v/file", DATA)
    machine.faults.append(Fault(kind=FaultKind.VANISH, where="/v/more", disk="disk", reappears=back))
    for attempt in (
        lambda: files.replace("/v/more", DATA),
        lambda: files.read("/v/file"),
        lambda: files.names("/v"),
        lambda: files.sync("/v"),
        lambda: FakeMounts(machine).switch_root("/v", "/file"),
    ):
        with pytest.raises(DeviceFault, match="detached"):
            attempt()
    with pytest.raises(DeviceMissing):
        FakeBlockDevices(machine).contents("/dev/sda1")
    FakeMounts(machine).unmount("/v")
    machine.restart()
    assert [disk.node for disk in FakeBlockDevices(machine).disks()] == (["/dev/sda"] if back else [])
    assert content(machine) == DATA
    assert content(machine, "/more") is None


def running_array(level: RaidLevel, disks: int) -> World:
    world = new_world(level=level, disks=disks)
    assert [world.provision(), world.boot(), world.boot()] == [
        StopReason.REBOOT,
        StopReason.REBOOT,
        StopReason.SWITCHED_ROOT,
    ]
    return world


def test_an_array_runs_without_a_lost_member_whose_data_are_then_out_of_date() -> None:
    world = running_array(RaidLevel.RAID1, 2)
    array = world.machine.arrays()[0].device.volume
    assert array is not None
    world.machine.detach_disk("primary0", reappears=True)
    assert world.machine.reachable(array)
    assert world.machine.partition("/dev/md127")[0].serial == "primary1"
    members = [member_of(disk.partitions) for disk in world.machine.disks[:2]]
    assert members[0] < members[1]
    assert world.boot() is StopReason.SWITCHED_ROOT


def test_an_array_that_lost_too_many_members_is_unreachable() -> None:
    world = running_array(RaidLevel.RAID5, 3)
    array = world.machine.arrays()[0].device.volume
    assert array is not None
    world.machine.detach_disk("primary0", reappears=True)
    assert world.machine.reachable(array)
    world.machine.detach_disk("primary2", reappears=True)
    assert not world.machine.reachable(array)


def member_of(partitions: list[FakePartition]) -> int:
    return max(part.member.events for part in partitions if part.member is not None)


# --- whole flows ------------------------------------------------------------------------------------------------------


def everywhere(before: Replay, fault: Step, verb: Verb) -> int:
    """Let the fault strike at each operation of one start in turn; the unit must survive. Returns how often."""
    for at in range(1000):
        unit = deepcopy(before)
        unit.step(Step(fault.verb, fault.what, {**fault.options, "after": str(at)}))
        unit.step(Step(verb))
        if unit.world.machine.faults[0].times:
            return at
        unit.rest()
        assert unit.problems == [], at
    raise AssertionError("this start has no end")


SHORT = [Step(Verb.FAULT, kind.value) for kind in (FaultKind.SHORT, FaultKind.SILENT)]
VANISH = [
    Step(Verb.FAULT, "vanish", {"disk": disk, "back": back})
    for disk in ("primary0", "recovery")
    for back in ("next", "never")
]


@pytest.mark.parametrize("fault", [*SHORT, *VANISH[::2]], ids=Step.describe)
@pytest.mark.parametrize("firmware", FirmwareKind)
def test_a_restore_survives_a_fault_at_every_operation(firmware: FirmwareKind, fault: Step) -> None:
    assert everywhere(provisioned(firmware), fault, Verb.START) > 25


@pytest.mark.parametrize("fault", [*SHORT, VANISH[0], VANISH[3]], ids=Step.describe)
def test_provisioning_survives_a_fault_at_every_operation(fault: Step) -> None:
    assert everywhere(Replay(Script()), fault, Verb.PROVISION) > 10


def test_a_device_that_is_slow_all_the_time_is_waited_for() -> None:
    replay = Replay(Script())
    replay.step(Step(Verb.FAULT, "slow", {"seconds": "12", "times": "999", "where": "/mnt/"}))
    replay.step(Step(Verb.PROVISION))
    replay.rest()
    assert replay.problems == []
    assert replay.world.machine.clock.total_elapsed > 12 * 20


def test_a_unit_that_lost_its_recovery_is_not_provisioned_again() -> None:
    replay = provisioned(FirmwareKind.UEFI)
    for step in (Step(Verb.START), Step(Verb.START), Step(Verb.PULL, "recovery"), Step(Verb.START)):
        replay.step(step)
    assert replay.problems == []
    assert replay.provisioned
    told = len(replay.world.factory.states)
    replay.rest()
    assert replay.problems == []
    assert replay.world.factory.states[told:] == []
