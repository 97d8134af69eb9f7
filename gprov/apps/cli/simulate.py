"""``gprov simulate``: the whole life cycle on a simulated machine, in a second."""

from __future__ import annotations

import argparse

from typing_extensions import override

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import ExitCode
from gprov.domain.events import Event
from gprov.domain.eventtext import event_text
from gprov.domain.platform.model import RaidLevel
from gprov.ports.events import EventSink

SUMMARY = "Run provisioning, factory restore and normal boot on a simulated machine."


# Names as the lab has them: level and number of disks.
_DISKS: dict[str, tuple[RaidLevel | None, int]] = {"sata": (None, 1)} | {
    f"raid{level.value}": (level, level.least_disks) for level in RaidLevel
}


def configure(parser: argparse.ArgumentParser) -> None:
    flows = parser.add_subparsers(dest="flow", required=True, metavar="FLOW")
    lifecycle = flows.add_parser("lifecycle", help="provision, restore, boot; prints plan and events")
    lifecycle.add_argument("--seed", type=int, default=0, help="of the simulated machine's randomness")
    lifecycle.add_argument(
        "--disks", choices=_DISKS, default="sata", help="one data disk, or the disks of an array (default %(default)s)"
    )
    kinds = [kind.value for kind in FirmwareKind]
    lifecycle.add_argument("--firmware", choices=kinds, default=FirmwareKind.UEFI.value)


def run(args: argparse.Namespace) -> int:
    from gprov.adapters.fake.power import Stop
    from gprov.apps.simulate.world import new_world

    level, disks = _DISKS[args.disks]
    world = new_world(args.seed, level=level, disks=disks, firmware=FirmwareKind(args.firmware))
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
