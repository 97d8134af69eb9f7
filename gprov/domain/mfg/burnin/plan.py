"""Plans a burn-in: specification and machine → phases of loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import HardwareMismatch
from gprov.domain.mfg.burnin.loads import CpuLoad, Load, MemoryLoad, ReadLoad, WriteLoad
from gprov.domain.mfg.burnin.spec import BurnInSpec, MemoryTest

# Left to the kernel and the programs beside the memory test: what it locks cannot be reclaimed, and a machine without
# free memory ends programs.
RESERVE = 192 * MIB
# Each test of a part of the memory needs some, too.
LEAST_SHARE = 32 * MIB


@dataclass(frozen=True, slots=True)
class Resources:
    """``processors``: logical ones; ``total``, ``available``: bytes of memory."""

    processors: int
    total: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Loads at the same time. ``seconds``: how long they take, 0 if that depends on the machine."""

    name: str
    loads: tuple[Load, ...]
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class BurnInPlan:
    """``notes``: where the plan falls short of what was asked."""

    spec: BurnInSpec
    phases: tuple[Phase, ...]
    disks: tuple[Disk, ...]
    notes: tuple[str, ...] = ()


def plan_burn_in(spec: BurnInSpec, machine: Resources, disks: Sequence[Disk]) -> BurnInPlan:
    """``disks``: the data disks, whose contents are lost if the specification asks for a write test. Raises
    HardwareMismatch if there is too little memory to test any."""
    phases: list[Phase] = []
    notes: list[str] = []
    if spec.cpu:
        load = CpuLoad(max(1, machine.processors), spec.cpu.seconds)
        phases.append(Phase(name="processors", loads=(load,), seconds=load.seconds))
    if spec.memory:
        phases.append(Phase(name="memory", loads=_memory(spec.memory, machine, notes)))
    if spec.disks and disks:
        seconds = spec.disks.seconds
        reads = tuple(ReadLoad(disk, seconds) for disk in disks)
        phases.append(Phase(name="reading disks", loads=reads, seconds=seconds))
        if spec.disks.writes:
            writes = tuple(WriteLoad(disk, seconds) for disk in disks)
            phases.append(Phase(name="writing disks", loads=writes, seconds=seconds))
    return BurnInPlan(spec, tuple(phases), tuple(disks), tuple(notes))


def _memory(test: MemoryTest, machine: Resources, notes: list[str]) -> tuple[Load, ...]:
    """One test for each processor: together they are faster, and load the memory more."""
    wanted = machine.total * test.percent // 100
    size = min(wanted, machine.available - RESERVE)
    if size < LEAST_SHARE:
        text = f"{max(0, machine.available) // MIB} MiB of memory are available, {RESERVE // MIB} of them are reserved"
        raise HardwareMismatch(f"burn-in: too little memory to test any: {text}")
    if size < wanted:
        notes.append(f"{size // MIB} MiB of memory are tested, not {wanted // MIB}: the rest is in use or reserved")
    workers = max(1, min(machine.processors, size // LEAST_SHARE))
    share = size // workers // MIB * MIB
    return tuple(MemoryLoad(number, share, test.loops) for number in range(workers))
