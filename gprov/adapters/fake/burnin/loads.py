"""Loads and sensors of the simulated machine. A load ends when the clock has reached its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from typing_extensions import override

from gprov.adapters.fake.burnin.bench import LoadModel
from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill
from gprov.domain.errors import DeviceFault, DeviceMissing, ToolFailed, ToolMissing
from gprov.domain.mfg.burnin.loads import CpuLoad, Load, LoadResult, MemoryLoad, ReadingLoad, ReadLoad, WriteLoad
from gprov.domain.mfg.burnin.readings import MemoryErrors, Temperature
from gprov.ports.burnin import Loads, RunningLoad, Sensors
from gprov.ports.destructive.write_loads import WriteLoads

_OPERATIONS = 1000.0  # of a processor per second
_RATE = 500e6


class FakeLoads(Loads):
    def __init__(self, machine: SimulatedMachine, model: LoadModel) -> None:
        self._machine = machine
        self._model = model

    @override
    def missing(self, load: Load) -> str:
        program = _program(load)
        return program if program in self._model.missing else ""

    @override
    @contextmanager
    def start(self, load: ReadingLoad) -> Iterator[RunningLoad]:
        with _running(self._machine, self._model, load) as one:
            yield one


class FakeWriteLoads(WriteLoads):
    def __init__(self, machine: SimulatedMachine, model: LoadModel) -> None:
        self._machine = machine
        self._model = model

    @override
    @contextmanager
    def start(self, load: WriteLoad) -> Iterator[RunningLoad]:
        machine = self._machine
        machine.begin_write(f"overwrite {load.disk.node}")
        present = described(machine)
        now = next((found for found in present if found.device == load.disk.device), None)
        if now is None:
            raise DeviceMissing(load.disk.node, "was removed")
        if problem := load.disk.exchanged(now, present):
            raise DeviceFault(load.disk.node, problem)
        fake = machine.disk(load.disk.device)
        volumes = fake.volumes()
        if any(mount.volume is volume for mount in machine.mounts for volume in volumes):
            raise DeviceFault(load.disk.node, "is in use: a partition is mounted")
        rate = self._model.rates.get(load.disk.serial, _RATE)
        extent = Extent(0, min(fake.size, max(1 << 20, int(rate * load.seconds))))
        fake.lose(extent)
        fake.media.put(extent, Fill(0x5A))
        fake.writes += 1
        with _running(machine, self._model, load) as one:
            yield one


class FakeSensors(Sensors):
    def __init__(self, machine: SimulatedMachine, model: LoadModel) -> None:
        self._machine = machine
        self._model = model

    @override
    def temperatures(self) -> tuple[Temperature, ...]:
        values = self._model.idle | (self._model.loaded if self._model.running else {})
        return tuple(Temperature(sensor, celsius) for sensor, celsius in values.items())

    @override
    def memory_errors(self) -> MemoryErrors | None:
        return self._model.memory_errors

    @override
    def hardware_errors(self) -> tuple[str, ...]:
        return self._model.kernel_lines

    @override
    def available_memory(self) -> int:
        return self._machine.inventory.memory * 9 // 10


class _FakeLoad(RunningLoad):
    def __init__(self, machine: SimulatedMachine, model: LoadModel, load: Load) -> None:
        self._machine = machine
        self._model = model
        self._load = load
        self._end = machine.clock.monotonic() + _seconds(model, load)

    @override
    def result(self) -> LoadResult | None:
        program = _program(self._load)
        if program in self._model.hanging or self._machine.clock.monotonic() < self._end:
            return None
        if program in self._model.breaking:
            raise ToolFailed(program, "exit status 1, without a result")
        return _result(self._machine, self._model, self._load)

    @override
    def end(self) -> LoadResult | None:
        """What processors and memory find is known at once, an error of a disk at the end."""
        if isinstance(self._load, (ReadLoad, WriteLoad)):
            return None
        found = _result(self._machine, self._model, self._load)
        return LoadResult(self._load, found.failures) if found.failures else None


@contextmanager
def _running(machine: SimulatedMachine, model: LoadModel, load: Load) -> Iterator[RunningLoad]:
    if _program(load) in model.missing:
        raise ToolMissing(_program(load))
    machine.begin_read(f"burn-in: {load.describe()}")
    model.begin()
    try:
        yield _FakeLoad(machine, model, load)
    finally:
        model.end()


def _seconds(model: LoadModel, load: Load) -> float:
    return model.memory_seconds * load.loops if isinstance(load, MemoryLoad) else float(load.seconds)


def _result(machine: SimulatedMachine, model: LoadModel, load: Load) -> LoadResult:
    match load:
        case CpuLoad():
            return LoadResult(load, model.wrong_results, _OPERATIONS * load.workers)
        case MemoryLoad():
            return LoadResult(load, model.bad_memory if load.number == 0 else ())
        case ReadLoad(disk) | WriteLoad(disk):
            if all(one.device != disk.device for one in machine.present()):
                return LoadResult(load, ("errno 19 (No such device)",), 0.0)
            error = model.disk_errors.get(disk.serial)
            return LoadResult(load, (error,) if error else (), model.rates.get(disk.serial, _RATE))
    assert_never(load)


def _program(load: Load) -> str:
    match load:
        case CpuLoad():
            return "stress-ng"
        case MemoryLoad():
            return "memtester"
        case ReadLoad() | WriteLoad():
            return "fio"
    assert_never(load)
