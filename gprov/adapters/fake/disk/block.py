"""Block devices of the simulated machine and their contents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.running_arrays import array_with_member
from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition
from gprov.domain.disk.model import Bus, Contents, Disk, Partition
from gprov.domain.erase.extents import Extent
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.block import BlockDevices, DeviceChanges


class FakeBlockDevices(BlockDevices):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def disks(self) -> tuple[Disk, ...]:
        return described(self._machine)

    @override
    def contents(self, node: str) -> Contents:
        self._machine.begin_read(f"probe {node}")
        for disk in self._machine.present():
            if node == disk.node:
                return Contents()
        return _contents(self._machine.partition(node)[1])

    @override
    @contextmanager
    def changes(self) -> Iterator[DeviceChanges]:
        yield _Changes(self._machine)

    @override
    def read(self, node: str, offset: int, size: int) -> bytes:
        self._machine.begin_read(f"read {node}")
        disk = next((disk for disk in self._machine.present() if disk.node == node), None)
        if disk is None:
            raise DeviceMissing(node, "no such disk")
        if offset + size > disk.size:
            raise DeviceFault(node, f"cannot read {size} bytes at {offset}: ends at {disk.size}")
        return disk.media.read(Extent(offset, offset + size))


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


def described(machine: SimulatedMachine) -> tuple[Disk, ...]:
    """The disks that are there now, by name."""
    return tuple(_as_disk(machine, disk) for disk in sorted(machine.present(), key=lambda disk: disk.name))


def _as_disk(machine: SimulatedMachine, disk: FakeDisk) -> Disk:
    return Disk(
        name=disk.name,
        node=disk.node,
        device=disk.device,
        size=disk.size,
        bus=disk.bus,
        vendor=disk.vendor,
        model=disk.model,
        serial=disk.serial,
        path=f"/sys/devices/simulated/{disk.name}",
        removable=disk.removable,
        read_only=disk.write_protected,
        namespace=disk.namespace if disk.bus is Bus.NVME else 0,
        partitions=tuple(
            _as_partition(machine, disk, part) for part in sorted(disk.partitions, key=lambda part: part.number)
        ),
    )


def _as_partition(machine: SimulatedMachine, disk: FakeDisk, part: FakePartition) -> Partition:
    name = disk.partition_name(part.number)
    running = array_with_member(machine.running, part)
    holders = (running.array.device.device,) if running is not None else ()
    return Partition(
        name=name,
        node=f"/dev/{name}",
        device=part.device,
        number=part.number,
        start=part.start,
        size=part.size,
        label=part.label,
        uuid=part.uuid,
        holders=holders,
    )


def _contents(part: FakePartition) -> Contents:
    volume = part.volume
    if part.member is not None:
        return Contents("linux_raid_member", part.member.array.name, part.member.array.uuid)
    if volume is None:
        return Contents()
    if volume.ambivalent:
        return Contents(ambivalent=True)
    return Contents(volume.kind.value, volume.label, volume.uuid)
