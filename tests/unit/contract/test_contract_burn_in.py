"""Contract of Loads, WriteLoads and Sensors."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.burnin.loads import CpuLoad, MemoryLoad, ReadLoad, WriteLoad

if TYPE_CHECKING:
    from tests.unit.contract.conftest import Volume, World

SIZE = 32 * MIB


def test_processors_compute_and_find_nothing(world: World) -> None:
    load = CpuLoad(2, 1)
    assert world.burn_in.loads.missing(load) == ""
    with world.burn_in.loads.start(load) as running:
        assert running.result() is None
        found = world.burn_in.end(running)
    assert (found.load, found.failures) == (load, ())
    assert found.rate > 0


def test_good_memory_has_no_failures(world: World) -> None:
    load = MemoryLoad(0, MIB, 1)
    with world.burn_in.loads.start(load) as running:
        found = world.burn_in.end(running)
        assert running.result() == found
    assert (found.load, found.failures) == (load, ())


def test_a_disk_is_read_at_some_rate_and_keeps_its_contents(world: World) -> None:
    disk = world.blank(SIZE)
    world.writer.write(disk, 0, b"kept".ljust(512, b"\0"))
    load = ReadLoad(disk, 1)
    with world.burn_in.loads.start(load) as running:
        found = world.burn_in.end(running)
    assert (found.load, found.failures) == (load, ())
    assert found.rate > MIB
    assert world.blocks.read(disk.node, 0, 4) == b"kept"


def test_a_disk_is_overwritten_at_some_rate(world: World) -> None:
    before = sorted(os.listdir())
    disk = world.blank(SIZE)
    world.writer.write(disk, 0, b"lost".ljust(512, b"\0"))
    load = WriteLoad(disk, 1)
    with world.burn_in.write_loads.start(load) as running:
        found = world.burn_in.end(running)
    assert (found.load, found.failures) == (load, ())
    assert found.rate > 0
    assert world.blocks.read(disk.node, 0, 4) != b"lost"
    assert sorted(os.listdir()) == before


def test_loads_run_at_the_same_time_and_end_when_they_are_left(world: World) -> None:
    disk = world.blank(SIZE)
    with (
        world.burn_in.loads.start(CpuLoad(1, 3600)) as long,
        world.burn_in.loads.start(ReadLoad(disk, 1)) as short,
    ):
        assert world.burn_in.end(short).failures == ()
        assert long.result() is None


def test_a_disk_in_use_is_not_overwritten(ext: Volume) -> None:
    world = ext.world
    (disk,) = [disk for disk in world.blocks.disks() if ext.node.startswith(disk.node)]
    before = world.blocks.contents(ext.node)
    with (
        pytest.raises(DeviceFault, match="in use"),
        world.burn_in.write_loads.start(WriteLoad(disk, 1)),
    ):
        raise AssertionError("started")
    assert before.kind == FileSystemKind.EXT4.value
    assert world.blocks.contents(ext.node) == before


def test_a_disk_that_is_another_one_by_now_is_not_overwritten(world: World) -> None:
    disk = world.blank(SIZE)
    for selected in (replace(disk, serial="another"), replace(disk, device=DeviceNumber(259, 4095))):
        with (
            pytest.raises((DeviceFault, DeviceMissing)),
            world.burn_in.write_loads.start(WriteLoad(selected, 1)),
        ):
            raise AssertionError("started")
    assert world.blocks.read(disk.node, 0, 512) == bytes(512)


def test_sensors_have_names_of_their_own(world: World) -> None:
    sensors = world.burn_in.sensors
    names = [one.sensor for one in sensors.temperatures()]
    assert len(names) == len(set(names))
    assert all(names)
    assert sensors.available_memory() > 64 * MIB


def test_error_counters_do_not_fall(world: World) -> None:
    sensors = world.burn_in.sensors
    first, second = sensors.memory_errors(), sensors.memory_errors()
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert second.corrected >= first.corrected >= 0
        assert second.uncorrected >= first.uncorrected >= 0
    lines = sensors.hardware_errors()
    assert set(lines) <= set(sensors.hardware_errors())
