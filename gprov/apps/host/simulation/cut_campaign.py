"""Thousands of power cuts: each flow on each machine, cut at every operation, each time with other luck.

A flow runs once undisturbed while a copy of the machine is kept at every operation. Each copy is then a place to cut:
its power goes, a seeded choice says what of the unflushed arrived, and the unit is started until it rests. What a unit
does next depends on nothing but what is on its media, so machines that were seen before are not started again: they are
cuts that were tried, and states that were known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from gprov.adapters.fake.firmware.uefi import choose_entry
from gprov.adapters.fake.machine.storage import Node, Tree
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.adapters.fake.system.power import MachineStopped, Stop
from gprov.apps.host.simulation.fingerprint import fingerprint
from gprov.apps.host.simulation.invariants import recovery_problems, report_problems, secret_problems, system_problems
from gprov.apps.host.simulation.shapes import image_content, image_name, simulated
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import GprovError
from gprov.domain.files import FileType

MOST_STARTS = 8
# Longer than all deadlines of one start; the time that a failure is shown in the factory is not simulated.
LONGEST_START = 3600.0
# Every so many cuts, the start after the cut is cut as well.
_TWICE = 4


@dataclass(frozen=True)
class Flow:
    """``prepare`` makes of a provisioned, running unit what is cut; None: the flow begins with a blank machine."""

    name: str
    in_factory: bool
    prepare: Callable[[World], None] | None


@dataclass
class Row:
    """One line of the result. ``states``: different machines that cuts left. ``failures``: in words, with what is
    needed to see them again."""

    flow: str
    firmware: FirmwareKind
    disks: str
    operations: int = 0
    cuts: int = 0
    states: int = 0
    most_starts: int = 0
    failures: list[str] = field(default_factory=list)


def flows() -> tuple[Flow, ...]:
    return (
        Flow("provision", in_factory=True, prepare=None),
        Flow("provision a used unit", in_factory=True, prepare=_with_newer_image),
        Flow("first restore", in_factory=False, prepare=None),
        Flow("restore a newer image", in_factory=False, prepare=_without_flag),
        Flow("restore on request", in_factory=False, prepare=_requested),
    )


def cut_everywhere(flow: Flow, firmware: FirmwareKind, disks: str, seed: int, count: int) -> Row:
    """Cut this flow ``count`` times, at its operations in turn."""
    row = Row(flow.name, firmware, disks)
    told, places = _places(flow, firmware, disks, seed)
    row.operations = len(places)
    seen: dict[int, str] = {}
    for index in range(count):
        name, place = places[index % len(places)]
        chance = random.Random(f"{seed} {flow.name} {firmware.value} {disks} {index}")
        world = deepcopy(place)
        lose_power(world, chance, torn=index >= len(places))
        lies = report_problems(world, world.factory.states[told:])
        if index >= len(places) and index % _TWICE == 0:
            name = f"{name}, then {_cut_again(world, chance, in_factory=flow.in_factory)}"
        row.cuts += 1
        problem = "; ".join([*lies, *filter(None, [_outcome(world, flow, row, seen)])])
        if problem:
            row.failures.append(f"cut {index} at {name}: {problem}")
    row.states = len(seen)
    return row


def lose_power(world: World, chance: random.Random, *, torn: bool) -> None:
    """The power goes now, and comes back. ``torn``: any part of what was not flushed arrived; else nothing did."""
    world.machine.hook = None
    world.machine.torn_cuts = torn
    world.machine.random = SeededRandomness(chance.randrange(1 << 32))
    world.machine.restart()
    # What follows depends on the media alone.
    world.machine.torn_cuts = False
    world.machine.random = SeededRandomness(_LATER)


_LATER = 1 << 40


def _places(flow: Flow, firmware: FirmwareKind, disks: str, seed: int) -> tuple[int, list[tuple[str, World]]]:
    """Each operation of the undisturbed flow, with the machine as it is just before it; and how many states the factory
    had been told before."""
    world = simulated(firmware, disks, seed)
    if not flow.in_factory or flow.prepare is not None:
        world.provision()
    if flow.prepare is not None:
        world.boot()
        world.boot()
        world.machine.restart()
        flow.prepare(world)
    if flow.in_factory:
        world.factory.documents.clear()
    kept: list[tuple[str, World]] = []
    told = len(world.factory.states)

    def keep(operation: str) -> None:
        world.machine.hook = None
        kept.append((operation, deepcopy(world)))
        world.machine.hook = keep

    world.machine.hook = keep
    (world.provision if flow.in_factory else world.boot)()
    return told, kept


def _cut_again(world: World, chance: random.Random, *, in_factory: bool) -> str:
    """The start after a cut is cut too. Returns at what."""
    left = chance.randrange(120)
    last = ""

    def cut(operation: str) -> None:
        nonlocal left, last
        last = operation
        left -= 1
        if left < 0:
            raise MachineStopped(Stop.POWER_CUT)

    world.machine.hook = cut
    world.machine.torn_cuts = True
    world.machine.random = SeededRandomness(chance.randrange(1 << 32))
    try:
        start(world, in_factory=in_factory)
    finally:
        world.machine.hook = None
        world.machine.torn_cuts = False
        world.machine.random = SeededRandomness(_LATER)
    if world.machine.switched_to is not None:
        world.machine.restart()
    return last


def start(world: World, *, in_factory: bool) -> str:
    """Power on once: what it ended in. In the factory a machine that finds nothing to start starts over the network."""
    try:
        return world.boot().value
    except GprovError as error:
        if not in_factory:
            return f"nothing to start: {error}"
    return f"network: {world.provision().value}"


def _outcome(world: World, flow: Flow, row: Row, seen: dict[int, str]) -> str:
    """Start until the system runs. Returns what is wrong, "" if nothing."""
    visited: list[int] = []
    problem = ""
    for starts in range(MOST_STARTS + 1):
        key = fingerprint(world)
        if key in seen:
            problem = seen[key]
            break
        visited.append(key)
        if starts == MOST_STARTS:
            problem = f"does not rest after {starts} starts"
            break
        told = len(world.factory.states)
        began = world.machine.clock.passed
        ended = start(world, in_factory=flow.in_factory)
        seconds = world.machine.clock.passed - began
        problem = "; ".join(_wrong(world, flow, ended, told, seconds))
        if problem or ended == Stop.SWITCHED_ROOT.value:
            row.most_starts = max(row.most_starts, starts + 1)
            break
    seen.update(dict.fromkeys(visited, problem))
    return problem


def _wrong(world: World, flow: Flow, ended: str, told: int, seconds: float) -> Iterator[str]:
    yield from report_problems(world, world.factory.states[told:])
    if seconds > LONGEST_START:
        yield f"a start took {seconds:g} s"
    if ended.startswith("nothing to start"):
        yield ended
    if not flow.in_factory or ended == Stop.SWITCHED_ROOT.value:
        yield from recovery_problems(world)
    yield from system_problems(world)
    yield from secret_problems(world)
    flag = f"/{world.branding.flag_file}"
    if ended == Stop.SWITCHED_ROOT.value and world.machine.tree(world.branding.primary_label).get(flag) is None:
        yield "the system was started without its flag file"


def put(tree: Tree, path: str, content: bytes) -> None:
    tree.put(path, Node(FileType.FILE, content))


def _with_newer_image(world: World) -> None:
    put(world.machine.tree(world.branding.recovery_label), f"/Image/{image_name(1)}", image_content(1))
    world.machine.flush()


def _without_flag(world: World) -> None:
    _with_newer_image(world)
    world.machine.tree(world.branding.primary_label).drop(f"/{world.branding.flag_file}")
    world.machine.flush()


def _requested(world: World) -> None:
    _with_newer_image(world)
    choose_entry(world.machine, world.branding.restore_entry)
