"""The worlds in which adapters must keep the contracts of their ports: the same test functions run in each.

``fake``: the simulated machine, in every run of the unit tests. ``linux``: loop devices of this machine, with root, if
GPROV_CONTRACT=linux says so: tests/integ does, on the host and in a virtual machine with the kernel of units.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from gprov.adapters.fake.archive.archives import FakeArchives
from gprov.adapters.fake.burnin.loads import FakeLoads, FakeSensors, FakeWriteLoads
from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.disk.whole_disks import FakeWholeDisks
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.mfg.burnin.loads import LoadResult
from gprov.ports.archive import Archives
from gprov.ports.block import BlockDevices
from gprov.ports.burnin import Loads, RunningLoad, Sensors
from gprov.ports.destructive.disk_writer import DiskWriter
from gprov.ports.destructive.filesystem_maker import FileSystemMaker
from gprov.ports.destructive.image_unpacker import ImageUnpacker
from gprov.ports.destructive.partitioner import Partitioner
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.destructive.write_loads import WriteLoads
from gprov.ports.drives import DiskReader
from gprov.ports.files import Files
from gprov.ports.filesystem import FileSystems, Mounts
from gprov.ports.firmware import Firmware

WORLD = os.environ.get("GPROV_CONTRACT", "fake")
KINDS = {"ext4": FileSystemKind.EXT4, "vfat": FileSystemKind.VFAT}


class WholeFileSystems(FileSystems, FileSystemMaker, Protocol):
    """Both ports: what one makes, the other checks."""


class WholeArchives(Archives, ImageUnpacker, Protocol):
    """Both ports: what one verified, the other unpacks."""


class WholeFirmware(Firmware, VariableWriter, Protocol):
    """Both ports: what one writes, the other reads."""


@dataclass(frozen=True, kw_only=True)
class BurnIn:
    """``let_pass``: seconds, for loads to end."""

    loads: Loads
    write_loads: WriteLoads
    sensors: Sensors
    let_pass: Callable[[float], None]

    def end(self, running: RunningLoad) -> LoadResult:
        """Its result, which it must have within a minute."""
        for _ in range(600):
            result = running.result()
            if result is not None:
                return result
            self.let_pass(0.1)
        raise AssertionError("the load does not end")


@dataclass(frozen=True)
class World:
    """``folder``: where volumes may be mounted and files made. ``blank``: a new disk of zeros, of so many bytes."""

    blocks: BlockDevices
    partitioner: Partitioner
    filesystems: WholeFileSystems
    mounts: Mounts
    files: Files
    archives: WholeArchives
    firmware: WholeFirmware
    writer: DiskWriter
    reader: DiskReader
    burn_in: BurnIn
    folder: str
    blank: Callable[[int], Disk]

    def formatted(self, kind: FileSystemKind, size: int = 80 * MIB, label: str = "LABEL") -> str:
        """Node of a partition with a new file system, alone on a new disk."""
        disk = self.blank(size)
        node = self.partitioner.write(disk, primary_table(FirmwareKind.UEFI, size, raid=False)).partitions[0].node
        self.filesystems.make(node, FileSystemSpec(kind=kind, label=label))
        return node

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"


@dataclass(frozen=True)
class Volume:
    """A mounted file system: its folder, and the node it is on."""

    world: World
    kind: FileSystemKind
    node: str
    folder: str
    files: Files = field(repr=False)

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if WORLD == "fake":
        yield fake_world()
        return
    with ExitStack() as stack:
        yield linux_world(tmp_path, stack)


def fake_world() -> World:
    machine = SimulatedMachine()
    blocks = FakeBlockDevices(machine)

    def blank(size: int) -> Disk:
        name = machine.add_disk(size).name
        return next(disk for disk in blocks.disks() if disk.name == name)

    ports = (blocks, FakePartitioner(machine), FakeFileSystems(machine), FakeMounts(machine), FakeFiles(machine))
    return World(
        *ports,
        FakeArchives(machine),
        FakeFirmware(machine),
        *whole_disks(machine),
        fake_burn_in(machine),
        "/mnt",
        blank,
    )


def whole_disks(machine: SimulatedMachine) -> tuple[DiskWriter, DiskReader]:
    both = FakeWholeDisks(machine)
    return both, both


def fake_burn_in(machine: SimulatedMachine) -> BurnIn:
    model = machine.load_model
    return BurnIn(
        loads=FakeLoads(machine, model),
        write_loads=FakeWriteLoads(machine, model),
        sensors=FakeSensors(machine, model),
        let_pass=machine.clock.advance,
    )


def linux_burn_in(folder: Path) -> BurnIn:
    from gprov.adapters.linux.burnin.loads import FioWriteLoads, ToolLoads
    from gprov.adapters.linux.burnin.sensors import LinuxSensors
    from gprov.adapters.linux.system.process import SystemProcesses

    processes = SystemProcesses()
    return BurnIn(
        loads=ToolLoads(processes, str(folder)),
        write_loads=FioWriteLoads(processes, include_loop=True),
        sensors=LinuxSensors(),
        let_pass=time.sleep,
    )


def linux_world(folder: Path, stack: ExitStack) -> World:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.disk.block import SysfsBlockDevices
    from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
    from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
    from gprov.adapters.linux.disk.partition import PartedPartitioner
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.adapters.linux.filesystem.mounts import LinuxMounts
    from gprov.adapters.linux.filesystem.tools import LinuxFileSystems
    from gprov.adapters.linux.firmware.efivars import EfivarsFirmware
    from gprov.adapters.linux.system.clock import SystemClock
    from gprov.adapters.linux.system.process import SystemProcesses

    blocks, processes = SysfsBlockDevices(include_loop=True), SystemProcesses()
    count = iter(range(100))

    def blank(size: int) -> Disk:
        image = folder / f"disk{next(count)}"
        with image.open("wb") as file:
            file.truncate(size)
        argv = ("losetup", "--find", "--show", str(image))
        node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
        stack.callback(_detach, node)
        return next(disk for disk in blocks.disks() if disk.node == node)

    mounted = folder / "mnt"
    mounted.mkdir()
    volumes = [str(mounted / name) for name in ("volume", "other")]
    return World(
        blocks,
        PartedPartitioner(blocks, SystemClock()),
        LinuxFileSystems(processes),
        LinuxMounts(),
        LinuxFiles(volumes),
        XzTarArchives(processes),
        EfivarsFirmware(),
        LinuxDiskWriter(blocks, SystemClock()),
        LinuxDiskReader(blocks, SystemClock()),
        linux_burn_in(folder),
        str(mounted),
        blank,
    )


def _detach(node: str) -> None:
    """With whatever a test left mounted on it."""
    while mounts := [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if node in line]:
        subprocess.run(["umount", mounts[-1]], check=True)
    subprocess.run(["partx", "--delete", node], capture_output=True, check=False)
    subprocess.run(["losetup", "--detach", node], check=True)
    # Detaching is put off while another process (a probe) still has the device open.
    backing = Path(f"/sys/class/block/{Path(node).name}/loop/backing_file")
    end = time.monotonic() + 10
    while backing.exists() and time.monotonic() < end:
        os.sync()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> FileSystemKind:
    return KINDS[request.param]


@pytest.fixture
def volume(world: World, kind: FileSystemKind) -> Volume:
    """A new, mounted volume of either kind."""
    return mounted_volume(world, kind)


@pytest.fixture
def ext(world: World) -> Volume:
    return mounted_volume(world, FileSystemKind.EXT4)


@pytest.fixture
def fat(world: World) -> Volume:
    return mounted_volume(world, FileSystemKind.VFAT)


def mounted_volume(world: World, kind: FileSystemKind) -> Volume:
    node, folder = world.formatted(kind), world.path("volume")
    world.mounts.mount(node, folder, kind.value, ("relatime",))
    return Volume(world, kind, node, folder, world.files)
