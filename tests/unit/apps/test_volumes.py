from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typing_extensions import override

from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakePartition, FakeVolume
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS, volumes_of, wait_for
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Contents, FileSystemKind
from gprov.domain.errors import DeviceFault
from gprov.domain.events import LogLine
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.block import DeviceChanges


@pytest.fixture
def machine() -> SimulatedMachine:
    return SimulatedMachine()


class AppearsWhileSubscribing(FakeBlockDevices):
    """A device that comes after the first look and before the subscription: no event reports it."""

    def __init__(self, machine: SimulatedMachine) -> None:
        super().__init__(machine)
        self._machines = machine

    @override
    @contextmanager
    def changes(self) -> Iterator[DeviceChanges]:
        self._machines.add_disk(GIB)
        with super().changes() as changes:
            yield changes


def test_what_is_there_is_not_waited_for(machine: SimulatedMachine) -> None:
    machine.add_disk(GIB)
    blocks = FakeBlockDevices(machine)
    assert wait_for(blocks, machine.clock, 60, lambda: bool(blocks.disks()))
    assert machine.clock.slept == 0


def test_a_device_that_appears_between_look_and_subscription_is_seen_at_once(machine: SimulatedMachine) -> None:
    blocks = AppearsWhileSubscribing(machine)
    assert wait_for(blocks, machine.clock, 60, lambda: bool(blocks.disks()))
    assert machine.clock.slept == 0


def test_a_late_device_is_seen_when_it_comes(machine: SimulatedMachine) -> None:
    machine.add_disk(GIB, appears_at=3.25)
    blocks = FakeBlockDevices(machine)
    assert wait_for(blocks, machine.clock, 60, lambda: bool(blocks.disks()))
    assert machine.clock.monotonic() == 3.25


def test_a_wait_ends_at_its_deadline(machine: SimulatedMachine) -> None:
    machine.add_disk(GIB, appears_at=61)
    blocks = FakeBlockDevices(machine)
    assert not wait_for(blocks, machine.clock, 60, lambda: bool(blocks.disks()))
    assert machine.clock.monotonic() == 60


def test_without_events_it_looks_again_all_the_same(machine: SimulatedMachine) -> None:
    looks: list[float] = []

    def ready() -> bool:
        looks.append(machine.clock.monotonic())
        return len(looks) == 5

    assert wait_for(FakeBlockDevices(machine), machine.clock, 60, ready)
    assert looks == [0, 0, RESCAN_SECONDS, 2 * RESCAN_SECONDS, 3 * RESCAN_SECONDS]


class BadSector(FakeBlockDevices):
    @override
    def contents(self, node: str) -> Contents:
        if node == "/dev/sda1":
            raise DeviceFault(node, "cannot read: input/output error")
        return super().contents(node)


def test_volumes_are_partitions_and_disks_without_any_but_none_that_cannot_be_read(machine: SimulatedMachine) -> None:
    first, second = machine.add_disk(GIB), machine.add_disk(GIB)
    volume = FakeVolume(kind=FileSystemKind.EXT4, label="DATA", uuid="uuid", size=100 * MIB)
    first.partitions = [
        FakePartition(number=1, start=MIB, size=100 * MIB, label="", uuid="a", device=DeviceNumber(8, 51)),
        FakePartition(
            number=2, start=101 * MIB, size=100 * MIB, label="", uuid="b", device=DeviceNumber(8, 52), volume=volume
        ),
    ]
    bus = EventBus(machine.clock)
    blocks = BadSector(machine)
    found = volumes_of(blocks, blocks.disks(), bus)
    assert [(one.node, one.contents.label, one.partition is None) for one in found] == [
        ("/dev/sda2", "DATA", False),
        (second.node, "", True),
    ]
    said = [event.body.text for event in bus.events if isinstance(event.body, LogLine)]
    assert said == ["cannot see what /dev/sda1 holds: /dev/sda1: cannot read: input/output error"]
