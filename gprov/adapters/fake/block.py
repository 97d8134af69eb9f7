"""Block devices, partition tables, file systems and mounts of the simulated machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from errno import EBUSY, EINVAL, EIO, EROFS

from typing_extensions import override

from gprov.adapters.fake.machine import FakeMount, SimulatedMachine, contents_of
from gprov.adapters.fake.paths import locate, refuse_gone
from gprov.adapters.fake.power import MachineStopped, Stop
from gprov.adapters.fake.storage import FakeDisk, FakeMember, FakePartition, FakeVolume, Node, Tree
from gprov.adapters.fake.writing import refuse_spoilt
from gprov.domain.boot.grub.install import Loader, core_place, loader_writes
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import (
    CheckVerdict,
    Contents,
    Disk,
    FileSystemKind,
    FileSystemSpec,
    MountPoint,
)
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType
from gprov.ports.block import BlockDevices, DeviceChanges
from gprov.ports.filesystem import FileSystems, Mounts
from gprov.ports.partition import Partitioner


class FakeBlockDevices(BlockDevices):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def disks(self) -> tuple[Disk, ...]:
        return self._machine.describe_disks()

    @override
    def contents(self, node: str) -> Contents:
        self._machine.look(f"probe {node}")
        for disk in self._machine.present():
            if node == disk.node:
                return Contents()
        return contents_of(self._machine.partition(node)[1])

    @override
    @contextmanager
    def changes(self) -> Iterator[DeviceChanges]:
        yield _Changes(self._machine)

    @override
    def read(self, node: str, offset: int, size: int) -> bytes:
        self._machine.look(f"read {node}")
        disk = next((disk for disk in self._machine.present() if disk.node == node), None)
        if disk is None:
            raise DeviceMissing(node, "no such disk")
        if offset + size > disk.size:
            raise DeviceFault(node, f"cannot read {size} bytes at {offset}: ends at {disk.size}")
        return bytes(size) if disk.table is None else b"\x55" * size


class _Changes(DeviceChanges):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine
        self._seen = len(machine.present())

    @override
    def wait(self, seconds: float) -> bool:
        clock = self._machine.clock
        if len(self._machine.present()) != self._seen:
            seconds = 0.0
        coming = [disk.appears_at for disk in self._machine.disks if disk.appears_at > clock.monotonic()]
        pause = min((at - clock.monotonic() for at in coming), default=seconds)
        clock.sleep(min(pause, seconds))
        before, self._seen = self._seen, len(self._machine.present())
        return self._seen != before


class FakePartitioner(Partitioner):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def clear(self, disk: Disk, head: int, tail: int) -> None:
        self._machine.touch(f"clear {disk.node}")
        fake = self._unchanged(disk)
        self._refuse_mounted(disk)
        refuse_protected(fake)
        # The first sector goes first and is flushed: without it, nobody starts or reads what follows it.
        fake.forget_partitions()
        fake.writes += 1
        kept = {start: found for start, found in fake.remains.items() if head <= start < max(head, disk.size - tail)}
        fake.fading = frozenset(fake.remains) - frozenset(kept)
        self._machine.touch(f"clear {disk.node}: under way")
        refuse_spoilt(self._machine, fake, f"clear {disk.node}")
        fake.remains, fake.fading = kept, frozenset()

    @override
    def write(self, disk: Disk, table: PartitionTable, loader: Loader | None = None) -> Disk:
        self._machine.touch(f"partition {disk.node}")
        fake = self._unchanged(disk)
        self._refuse_mounted(disk)
        refuse_protected(fake)
        fake.forget_partitions()
        fake.writes += 1
        self._machine.touch(f"partition {disk.node}: under way")
        refuse_spoilt(self._machine, fake, f"partition {disk.node}")
        fake.table = table
        if loader is not None:
            fake.areas = {write.offset: write.content for write in loader_writes(loader, bytes(512), core_place(table))}
        for part in table.partitions:
            made = self._machine.new_partition(part.number, part.start, part.size, part.label)
            found = fake.remains.pop(part.start, None)
            made.volume = found if isinstance(found, FakeVolume) else None
            made.member = found if isinstance(found, FakeMember) else None
            fake.partitions.append(made)
        return next(found for found in self._machine.describe_disks() if found.device == disk.device)

    def _unchanged(self, disk: Disk) -> FakeDisk:
        fake = self._machine.disk(disk.device)
        now = next(found for found in self._machine.describe_disks() if found.device == disk.device)
        if problem := disk.exchanged(now):
            raise DeviceFault(disk.node, problem)
        return fake

    def _refuse_mounted(self, disk: Disk) -> None:
        volumes = self._machine.disk(disk.device).volumes()
        for mount in self._machine.mounts:
            if any(mount.volume is volume for volume in volumes):
                raise DeviceFault(disk.node, f"a partition is mounted at {mount.point.target}")
        for part in self._machine.disk(disk.device).partitions:
            refuse_member(self._machine, disk.node, part)


class FakeFileSystems(FileSystems):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def make(self, node: str, spec: FileSystemSpec) -> None:
        spec.check_label()
        self._machine.touch(f"format {node}")
        disk, part = self._machine.partition(node)
        self._refuse_mounted(node, part.volume)
        refuse_member(self._machine, node, part)
        refuse_protected(disk)
        made = FakeVolume(spec.kind, spec.label, spec.uuid or self._machine.new_uuid(), part.size)
        # Cut meanwhile, there is still what was there, or nothing that anybody knows, or the first block of what comes,
        # or all of it.
        half = replace(made, current=Tree(), durable=Tree(), in_place=Tree(), damaged=True, repairable=False)
        part.unflushed = ((part.volume, part.member), (None, None), (half, None), (made, None))
        self._machine.written(part)
        disk.writes += 1
        self._machine.touch(f"format {node}: under way")
        refuse_spoilt(self._machine, disk, f"format {node}", part)
        part.volume, part.member, part.unflushed = made, None, ()

    @override
    def check(self, node: str, kind: FileSystemKind) -> CheckVerdict:
        self._machine.touch(f"check {node}")
        disk, part = self._machine.partition(node)
        volume = part.volume
        self._refuse_mounted(node, volume)
        if volume is None or (volume.damaged and not volume.repairable):
            return CheckVerdict.BEYOND_REPAIR
        if volume.damaged or volume.lost:
            refuse_protected(disk)
            volume.damaged, volume.lost = False, 0
            self._machine.written(part)
            return CheckVerdict.REPAIRED
        return CheckVerdict.CLEAN

    def _refuse_mounted(self, node: str, volume: FakeVolume | None) -> None:
        for mount in self._machine.mounts:
            if mount.volume is volume:
                raise DeviceFault(node, f"is mounted at {mount.point.target}")


class FakeMounts(Mounts):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def mount(self, node: str, target: str, kind: str, options: Iterable[str] = ()) -> None:
        if "remount" in (chosen := frozenset(options)):
            self._remount(node, target, chosen)
            return
        self._machine.touch(f"mount {node}")
        disk, part = self._machine.partition(node)
        if part.volume is None or part.volume.kind.value != kind:
            raise DeviceFault(node, f"cannot mount: no {kind} file system")
        if part.volume.damaged:
            raise DeviceFault(node, "cannot mount: structure needs cleaning")
        if "ro" not in chosen:
            refuse_protected(disk)
            self._machine.written(part)
        self._make_mount_point(target)
        part.volume.replay()
        point = MountPoint(part.device, target, kind, chosen)
        self._machine.mounts.append(FakeMount(point, part.volume, "ro" in chosen))

    def _remount(self, node: str, target: str, options: frozenset[str]) -> None:
        self._machine.touch(f"remount {target}")
        disk, part = self._machine.partition(node)
        for mount in self._machine.mounts:
            if mount.point.target == target and mount.volume is part.volume:
                if "ro" not in options:
                    refuse_protected(disk)
                    self._machine.written(part)
                if self._machine.reachable(mount.volume):
                    mount.volume.sync()
                mount.read_only = "ro" in options
                mount.point = replace(mount.point, options=options - {"remount"})
                return
        raise DeviceFault(node, f"cannot remount at {target}: is not mounted there", errno=EINVAL)

    def _make_mount_point(self, target: str) -> None:
        place = locate(self._machine, target)
        if place.node is None:
            if place.mount is not None and place.mount.read_only:
                raise DeviceFault(target, "cannot make the mount point: read-only file system", errno=EROFS)
            place.volume.write(place.inner, Node(FileType.FOLDER, mode=0o755))
        elif place.node.type is not FileType.FOLDER:
            raise DeviceFault(target, "is no folder to mount on")

    @override
    def unmount(self, target: str) -> None:
        self._machine.touch(f"unmount {target}")
        for mount in reversed(self._machine.mounts):
            below = [other for other in self._machine.mounts if other.point.target.startswith(target + "/")]
            if mount.point.target == target:
                if below:
                    raise DeviceFault(target, f"cannot unmount: busy ({below[0].point.target})")
                whole = not self._machine.reachable(mount.volume) or mount.volume.sync()
                self._machine.mounts.remove(mount)
                if not whole:
                    raise DeviceFault(target, "unmounted, but data was lost while flushing", errno=EIO)
                return
        raise DeviceFault(target, "cannot unmount: not mounted")

    @override
    def mounted(self) -> tuple[MountPoint, ...]:
        return tuple(mount.point for mount in self._machine.mounts)

    @override
    def switch_root(self, target: str, init: str) -> None:
        self._machine.touch(f"switch root to {target}")
        _, volume, _ = self._machine.volume_at(target)
        place = locate(self._machine, f"{target}{init}")
        refuse_gone(self._machine, place)
        node = place.node
        if node is None or node.type is not FileType.FILE:
            raise DeviceMissing(f"{target}{init}", "no such program")
        self._machine.switched_to = init
        for one in self._machine.running:
            if one.array.device.volume is volume:
                self._machine.written(one.array.device)  # it mounts its root for writing
        raise MachineStopped(Stop.SWITCHED_ROOT)


def refuse_member(machine: SimulatedMachine, node: str, part: FakePartition) -> None:
    running = machine.running_on(part)
    if running is not None:
        raise DeviceFault(node, f"is in use by {running.node}", errno=EBUSY)


def refuse_protected(disk: FakeDisk) -> None:
    if disk.write_protected:
        raise DeviceFault(disk.node, "is write-protected", errno=EROFS)
