"""``gprov simulate``: the whole life cycle on a simulated machine, in a second."""

from __future__ import annotations

import argparse

from typing_extensions import override

from gprov.domain.errors import ExitCode
from gprov.domain.events import Event
from gprov.domain.eventtext import event_text
from gprov.ports.events import EventSink

SUMMARY = "Run provisioning, factory restore and normal boot on a simulated machine."


def configure(parser: argparse.ArgumentParser) -> None:
    flows = parser.add_subparsers(dest="flow", required=True, metavar="FLOW")
    lifecycle = flows.add_parser("lifecycle", help="provision, restore, boot; prints plan and events")
    lifecycle.add_argument("--seed", type=int, default=0, help="of the simulated machine's randomness")


def run(args: argparse.Namespace) -> int:
    from gprov.adapters.fake.power import Stop
    from gprov.apps.simulate.world import new_world

    world = new_world(args.seed)
    world.sinks = (_Printer(),)
    stages = (
        ("provision", world.provision, Stop.REBOOT),
        ("restore", world.boot, Stop.REBOOT),
        ("boot", world.boot, Stop.SWITCHED_ROOT),
    )
    for name, start, expected in stages:
        print(f"== {name}")
        stop = start()
        print(f"== {name}: {stop.value} after {world.machine.clock.monotonic():g} simulated s")
        if stop is not expected:
            return ExitCode.NEGATIVE
    return ExitCode.DONE


class _Printer(EventSink):
    @property
    @override
    def name(self) -> str:
        return "standard output"

    @override
    def publish(self, event: Event) -> None:
        print(event_text(event))

    @override
    def close(self) -> None:
        """Nothing is held back."""
