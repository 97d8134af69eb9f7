"""Thousands of power cuts: each flow on each machine, cut at every operation, with another seed each time.

A flow runs once undisturbed while a copy of the machine is kept at every operation. Each copy is then a place to cut: a
seeded choice decides which unflushed data reached the medium, and the unit is started until its system runs. What a
unit does next depends only on its media, so a machine in a state that was seen before is not started again: it counts
as a cut, and its outcome is the one that was found for that state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.cut_flows import Flow
from gprov.apps.host.simulation.fingerprint import fingerprint
from gprov.apps.host.simulation.invariants import (
    recovery_problems,
    report_problems,
    secret_problems,
    system_problems,
    trust_problems,
)
from gprov.apps.host.simulation.machine_shapes import simulated
from gprov.apps.host.simulation.signed_factory import sign_world
from gprov.apps.host.simulation.user_data import erase_problems
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import GprovError

MOST_STARTS = 8
# Seconds. More than all deadlines of one start together; the display of a failure in the factory is not simulated.
LONGEST_START = 3600.0
# At each cut whose number is a multiple of this, the start after the cut is cut too.
_TWICE = 4
# Seed of every machine after its cut, so that what follows depends on the media alone.
_AFTER_CUT = 1 << 40

# Called with (cuts done, cuts in all).
Report = Callable[[int, int], None]


@dataclass(kw_only=True)
class Row:
    """One line of the result. ``states``: different states of the media after cuts. ``failures``: one sentence each,
    with the number of the cut."""

    flow: str
    firmware: FirmwareKind
    disks: str
    operations: int = 0
    cuts: int = 0
    states: int = 0
    most_starts: int = 0
    failures: list[str] = field(default_factory=list)


def cut_everywhere(
    flow: Flow, firmware: FirmwareKind, disks: str, seed: int, count: int, report: Report = lambda _done, _total: None
) -> Row:
    """Cut this flow ``count`` times, at its operations in turn."""
    row = Row(flow=flow.name, firmware=firmware, disks=disks)
    reported, places = _places(flow, firmware, disks, seed)
    row.operations = len(places)
    seen: dict[int, str] = {}
    for index in range(count):
        report(index, count)
        name, place = places[index % len(places)]
        choices = random.Random(f"{seed} {flow.name} {firmware.value} {disks} {index}")
        world = deepcopy(place)
        lose_power(world, choices, torn=index >= len(places))
        false_reports = report_problems(world, world.factory.states[reported:])
        if index >= len(places) and index % _TWICE == 0:
            name = f"{name}, then {_cut_again(world, choices, in_factory=flow.in_factory)}"
        row.cuts += 1
        problem = "; ".join([*false_reports, *filter(None, [_outcome(world, flow, row, seen)])])
        if problem:
            row.failures.append(f"cut {index} at {name}: {problem}")
    row.states = len(seen)
    return row


def lose_power(world: World, choices: random.Random, *, torn: bool) -> None:
    """Power off and on. ``torn``: any part of the unflushed data reached the medium; else nothing did."""
    world.machine.hook = None
    world.machine.torn_cuts = torn
    world.machine.random = SeededRandomness(choices.randrange(1 << 32))
    world.machine.restart()
    world.machine.torn_cuts = False
    world.machine.random = SeededRandomness(_AFTER_CUT)


def _places(flow: Flow, firmware: FirmwareKind, disks: str, seed: int) -> tuple[int, list[tuple[str, World]]]:
    """How many states were reported to the factory before the flow; and each operation of the undisturbed flow, with
    the machine just before it."""
    world = simulated(firmware, disks, seed)
    if flow.signed:
        sign_world(world)
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
    reported = len(world.factory.states)

    def keep(operation: str) -> None:
        world.machine.hook = None
        kept.append((operation, deepcopy(world)))
        world.machine.hook = keep

    world.machine.hook = keep
    flow.start(world)
    return reported, kept


def _cut_again(world: World, choices: random.Random, *, in_factory: bool) -> str:
    """Cut the start after a cut, too. Returns the operation that was cut."""
    left = choices.randrange(120)
    last = ""

    def cut(operation: str) -> None:
        nonlocal left, last
        last = operation
        left -= 1
        if left < 0:
            raise MachineStopped(StopReason.POWER_CUT)

    world.machine.hook = cut
    world.machine.torn_cuts = True
    world.machine.random = SeededRandomness(choices.randrange(1 << 32))
    try:
        start(world, in_factory=in_factory)
    finally:
        world.machine.hook = None
        world.machine.torn_cuts = False
        world.machine.random = SeededRandomness(_AFTER_CUT)
    if world.machine.switched_to is not None:
        world.machine.restart()
    return last


def start(world: World, *, in_factory: bool) -> str:
    """Power on once; returns how the start ended. In the factory, a machine that finds nothing to start on its disks
    starts over the network."""
    try:
        return world.boot().value
    except GprovError as error:
        if not in_factory:
            return f"nothing to start: {error}"
    return f"network: {world.provision().value}"


def _outcome(world: World, flow: Flow, row: Row, seen: dict[int, str]) -> str:
    """Start the unit until its system runs. Returns what is wrong, "" if nothing."""
    visited: list[int] = []
    problem = ""
    for starts in range(MOST_STARTS + 1):
        key = fingerprint(world)
        if key in seen:
            problem = seen[key]
            break
        visited.append(key)
        if starts == MOST_STARTS:
            problem = f"its system does not run after {starts} starts"
            break
        reported = len(world.factory.states)
        began = world.machine.clock.total_elapsed
        ended = start(world, in_factory=flow.in_factory)
        seconds = world.machine.clock.total_elapsed - began
        problem = "; ".join(_wrong(world, flow, ended, reported, seconds))
        if problem or ended == StopReason.SWITCHED_ROOT.value:
            row.most_starts = max(row.most_starts, starts + 1)
            break
    seen.update(dict.fromkeys(visited, problem))
    return problem


def _wrong(world: World, flow: Flow, ended: str, reported: int, seconds: float) -> Iterator[str]:
    yield from report_problems(world, world.factory.states[reported:])
    if seconds > LONGEST_START:
        yield f"a start took {seconds:g} s"
    if ended.startswith("nothing to start"):
        yield ended
    if not flow.in_factory or ended == StopReason.SWITCHED_ROOT.value:
        yield from recovery_problems(world)
    yield from system_problems(world)
    yield from trust_problems(world)
    yield from secret_problems(world)
    if flow.erases:
        yield from erase_problems(world, settled=ended == StopReason.SWITCHED_ROOT.value)
    flag = f"/{world.branding.flag_file}"
    if (
        ended == StopReason.SWITCHED_ROOT.value
        and world.machine.volume_tree(world.branding.primary_label).get(flag) is None
    ):
        yield "the system was started without its flag file"
