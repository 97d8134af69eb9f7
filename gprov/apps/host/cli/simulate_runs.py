"""Simulated units: run, and what is printed about them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import override

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.progress import progress
from gprov.apps.host.simulation.cut_campaign import Row, cut_everywhere
from gprov.apps.host.simulation.cut_flows import flows
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import parse_script
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import ExitCode
from gprov.domain.event_text import event_text
from gprov.domain.events import Event
from gprov.ports.events import EventSink

_MOST_FAILURES = 10  # that are printed of one row
_TABLE = "{:<24} {:<8} {:<7} {:>10} {:>6} {:>7} {:>8}"


@dataclass
class _Transcript(EventSink):
    """Lines about a unit: printed as they come, or kept for a JSON document."""

    keep: bool
    lines: list[str] = field(default_factory=list)

    @property
    @override
    def name(self) -> str:
        return "standard output"

    @override
    def publish(self, event: Event) -> None:
        self.add(event_text(event))

    @override
    def close(self) -> None:
        """There is no buffer."""

    def add(self, line: str) -> None:
        if self.keep:
            self.lines.append(line)
        else:
            say(line)


def lifecycle(world: World, *, as_json: bool) -> int:
    """A blank machine until its system runs."""
    transcript = _Transcript(as_json)
    world.sinks = (transcript,)
    stages: tuple[tuple[str, Callable[[], StopReason], StopReason], ...] = (
        ("provision", world.provision, StopReason.REBOOT),
        ("restore", world.boot, StopReason.REBOOT),
        ("boot", world.boot, StopReason.SWITCHED_ROOT),
    )
    rows: list[dict[str, object]] = []
    passed = True
    for name, start, expected in stages:
        transcript.add(f"== {name}")
        stop, seconds = start(), world.machine.clock.monotonic()
        transcript.add(f"== {name}: {stop.value} after {seconds:g} simulated s")
        rows.append({"name": name, "ended": stop.value, "seconds": seconds})
        passed = stop is expected
        if not passed:
            break
    if as_json:
        document({"passed": passed, "stages": rows, "transcript": transcript.lines})
    return ExitCode.DONE if passed else ExitCode.NEGATIVE


def replay(name: str, script: str, *, as_json: bool) -> int:
    """``name``: of the file, for errors."""
    transcript = _Transcript(as_json)
    run = Replay(parse_script(name, script), transcript.add)
    run.world.sinks += (transcript,)
    problems = run.run()
    if as_json:
        document({"passed": not problems, "problems": problems, "transcript": transcript.lines})
    else:
        for problem in problems:
            say(f"BROKEN: {problem}", colour="red")
        say(f"== {len(problems)} invariants broken" if problems else "== all invariants held")
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class CutsRequest:
    """``count``: cuts in all, shared by every flow on every kind of machine."""

    seed: int
    count: int
    firmware: tuple[FirmwareKind, ...]
    disks: tuple[str, ...]


def cuts(request: CutsRequest, *, as_json: bool) -> int:
    """Each flow on each kind of machine, cut everywhere."""
    began = time.monotonic()
    if not as_json:
        say(_TABLE.format("flow", "firmware", "disks", "operations", "cuts", "states", "survived"))
    machines = [(flow, kind, disk) for kind in request.firmware for disk in request.disks for flow in flows()]
    rows: list[Row] = []
    for index, (flow, kind, disk) in enumerate(machines):
        share = request.count * (index + 1) // len(machines) - request.count * index // len(machines)
        with progress(f"{flow.name}, {kind.value}, {disk}") as report:
            row = cut_everywhere(flow, kind, disk, request.seed, share, report)
        rows.append(row)
        if not as_json:
            _print_row(row)
    total, failures = sum(row.cuts for row in rows), sum(len(row.failures) for row in rows)
    seconds = time.monotonic() - began
    if as_json:
        table = [_row(row) for row in rows]
        document({"rows": table, "cuts": total, "survived": total - failures, "seconds": round(seconds, 1)})
    else:
        say(f"{total} cuts, {total - failures} survived, {seconds:.0f} s")
    return ExitCode.NEGATIVE if failures else ExitCode.DONE


def _print_row(row: Row) -> None:
    survived = row.cuts - len(row.failures)
    facts = (row.flow, row.firmware.value, row.disks, row.operations, row.cuts, row.states, survived)
    say(_TABLE.format(*facts), colour="red" if row.failures else "")
    for failure in row.failures[:_MOST_FAILURES]:
        say(f"  LOST: {failure}", colour="red")


def _row(row: Row) -> dict[str, object]:
    return {
        "flow": row.flow,
        "firmware": row.firmware.value,
        "disks": row.disks,
        "operations": row.operations,
        "cuts": row.cuts,
        "states": row.states,
        "survived": row.cuts - len(row.failures),
        "failures": row.failures,
    }
