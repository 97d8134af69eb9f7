"""Cutting the power of a simulated machine before a given operation, and starting the unit until its system runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.apps.host.simulation.world import World
from gprov.domain.errors import DeviceMissing

Start = Callable[[], StopReason]


@dataclass
class Cut:
    """A hook for a machine: cuts the power just before the operation with number ``at`` (from 0); -1: never.

    ``operations`` are the names of those that were called so far; the last one is the one that was cut.
    """

    at: int = -1
    operations: list[str] = field(default_factory=list)

    def __call__(self, operation: str) -> None:
        self.operations.append(operation)
        if len(self.operations) - 1 == self.at:
            raise MachineStopped(StopReason.POWER_CUT)


def operations_of(world: World, start: Start) -> tuple[str, ...]:
    """Names of the operations of one undisturbed start: the places where it can be cut."""
    return tuple(_hooked(world, start, Cut()).operations)


def cut_at(world: World, start: Start, at: int) -> str:
    """Call ``start``, and cut the power just before operation ``at``. Returns that operation's name, "" if the start
    ended before."""
    cut = _hooked(world, start, Cut(at))
    return cut.operations[at] if len(cut.operations) > at else ""


def settle(world: World, *, in_factory: bool = False, most: int = 8) -> tuple[str, ...]:
    """Start the unit until its system runs, at most ``most`` times. Returns how each start ended; the last is "switched
    root" if the system runs. A unit that finds nothing to start is lost; ``in_factory`` it starts over the network."""
    history: list[str] = []
    while len(history) < most and StopReason.SWITCHED_ROOT.value not in history:
        try:
            history.append(world.boot().value)
        except DeviceMissing:
            if not in_factory:
                return (*history, "nothing to start")
            history.append(f"network: {world.provision().value}")
    return tuple(history)


def _hooked(world: World, start: Start, cut: Cut) -> Cut:
    world.machine.hook = cut
    try:
        start()
    finally:
        world.machine.hook = None
    return cut
