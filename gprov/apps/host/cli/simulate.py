"""``gprov simulate``: the life of a unit on a simulated machine, in a second; scripts of what may happen to one; power
cut at thousands of places."""

from __future__ import annotations

import argparse
import time

from typing_extensions import override

from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import ExitCode
from gprov.domain.event_text import event_text
from gprov.domain.events import Event
from gprov.domain.platform.model import RaidLevel
from gprov.ports.events import EventSink

SUMMARY = "Provision, restore and boot a simulated machine; cut its power anywhere; replay scripts."

_DISKS = ("sata", *(f"raid{level.value}" for level in RaidLevel))
_FIRMWARE = tuple(kind.value for kind in FirmwareKind)
# What cuts are tried on if nobody says otherwise.
_CUT_DISKS = ("sata", "raid1")
_CUTS = 10_000
_NIGHTLY = 200_000


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--script", metavar="FILE", help="replay what FILE says, step by step; exit 1 if a rule is broken"
    )
    flows = parser.add_subparsers(dest="flow", metavar="FLOW")
    lifecycle = flows.add_parser("lifecycle", help="provision, restore, boot; prints plan and events")
    lifecycle.add_argument("--seed", type=int, default=0, help="of the simulated machine's randomness")
    lifecycle.add_argument(
        "--disks", choices=_DISKS, default="sata", help="one data disk, or the disks of an array (default %(default)s)"
    )
    lifecycle.add_argument("--firmware", choices=_FIRMWARE, default=FirmwareKind.UEFI.value)
    cuts = flows.add_parser("cuts", help="cut the power of provisioning and restores everywhere; prints what survived")
    cuts.add_argument("--seed", type=int, default=0, help="of the luck that each cut has")
    cuts.add_argument("--count", type=int, help=f"cuts in all (default {_CUTS})")
    cuts.add_argument("--nightly", action="store_true", help=f"{_NIGHTLY} cuts, on all kinds of arrays")
    cuts.add_argument("--firmware", choices=_FIRMWARE, action="append", help="only this one")
    cuts.add_argument("--disks", choices=_DISKS, action="append", help="only these (default sata and raid1)")
    parser.set_defaults(usage=parser.error)


def run(args: argparse.Namespace) -> int:
    if args.script is not None:
        return _replay(args.script)
    if args.flow == "cuts":
        disks = tuple(args.disks or (_DISKS if args.nightly else _CUT_DISKS))
        count = args.count if args.count is not None else _NIGHTLY if args.nightly else _CUTS
        return _cuts(args.seed, count, tuple(args.firmware or _FIRMWARE), disks)
    if args.flow == "lifecycle":
        return _lifecycle(args.seed, args.disks, FirmwareKind(args.firmware))
    args.usage("say a FLOW, or --script FILE")
    return ExitCode.USAGE


def _lifecycle(seed: int, disks: str, firmware: FirmwareKind) -> int:
    from gprov.adapters.fake.system.power import Stop
    from gprov.apps.host.simulation.shapes import simulated

    world = simulated(firmware, disks, seed)
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


def _replay(path: str) -> int:
    from gprov.apps.host.simulation.replay import Replay
    from gprov.apps.host.simulation.script import parse_script

    replay = Replay(parse_script(path, read_user_file(path).decode("utf-8", "replace")), print)
    replay.world.sinks += (_Printer(),)
    problems = replay.run()
    for problem in problems:
        print(f"BROKEN: {problem}")
    print(f"== {len(problems)} rules broken" if problems else "== all rules held")
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def _cuts(seed: int, count: int, firmware: tuple[str, ...], disks: tuple[str, ...]) -> int:
    from gprov.apps.host.simulation.cut_campaign import cut_everywhere, flows

    machines = [(flow, kind, disk) for kind in firmware for disk in disks for flow in flows()]
    form = "{:<24} {:<8} {:<7} {:>10} {:>6} {:>7} {:>8}"
    print(form.format("flow", "firmware", "disks", "operations", "cuts", "states", "survived"))
    began, failures, cuts = time.monotonic(), 0, 0
    for index, (flow, kind, disk) in enumerate(machines):
        share = count * (index + 1) // len(machines) - count * index // len(machines)
        row = cut_everywhere(flow, FirmwareKind(kind), disk, seed, share)
        survived = row.cuts - len(row.failures)
        print(form.format(flow.name, kind, disk, row.operations, row.cuts, row.states, survived), flush=True)
        for failure in row.failures[:10]:
            print(f"  LOST: {failure}")
        failures, cuts = failures + len(row.failures), cuts + row.cuts
    print(f"{cuts} cuts, {cuts - failures} survived, {time.monotonic() - began:.0f} s")
    return ExitCode.NEGATIVE if failures else ExitCode.DONE


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
