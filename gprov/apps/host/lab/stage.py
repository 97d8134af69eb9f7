"""One start of a unit's machine with what is expected of it, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.lab.channel import GuestVerdict, Milestone
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.runner import Ending, LiveMachine, Note, Runner
from gprov.domain.errors import DeviceMissing

# What the apps of a unit say (gprov.apps).
INIT_STARTED = "init-started"
HANDOVER = "handover"
# What a state of a unit ends with when it has failed.
_FAILED = "_FAILED"
# A unit that failed has still to put its log away.
_GRACE_SECONDS = 15.0
_STILL_SECONDS = 15.0
_TAIL_LINES = 25


class StageVerdict(Enum):
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Expectation:
    """``milestones``: all must be said, in this order, others may stand between. ``verdict``: of the operating system;
    None if it is not to come up."""

    ending: Ending
    milestones: tuple[str, ...]
    seconds: float
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """``reason``: why it failed, "" if it passed. ``seconds``: on the host's clock, from power-on to the end."""

    name: str
    verdict: StageVerdict
    reason: str
    ending: Ending
    seconds: float
    milestones: tuple[Milestone, ...]
    system: GuestVerdict | None
    serial_log: str
    tail: tuple[str, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        return self.verdict is StageVerdict.PASSED

    def uptime_at(self, milestone: str) -> float | None:
        """Seconds of the guest's kernel; None if it was not reached."""
        return next((each.uptime for each in self.milestones if each.name == milestone), None)


class StageRunner:
    """Runs stages one after the other, telling ``note`` how they go."""

    def __init__(self, runner: Runner, note: Note) -> None:
        self._runner = runner
        self._note = note

    def run(
        self,
        name: str,
        machine: Machine,
        serial_log: str,
        expected: Expectation,
        meanwhile: Callable[[LiveMachine], None] = lambda _: None,
    ) -> StageResult:
        """Start, do ``meanwhile``, wait for the end. Raises GprovError only if QEMU cannot be run."""
        started = time.monotonic()
        with self._runner.start(machine, serial_log) as live:
            watch = _Watch(name, live, expected, started, self._note)
            meanwhile(live)
            remaining = max(0.0, expected.seconds - (time.monotonic() - started))
            ending = live.wait_end(remaining, watch.look)
            said, system = live.milestones(), live.verdict()
        seconds = time.monotonic() - started
        reason = shortcoming(expected, ending, said, system)
        verdict = StageVerdict.FAILED if reason else StageVerdict.PASSED
        self._note(f"{name}: {verdict.value} in {seconds:.0f} s{f': {reason}' if reason else ''}")
        tail = last_lines(serial_log) if reason else ()
        return StageResult(
            name=name,
            verdict=verdict,
            reason=reason,
            ending=ending,
            seconds=seconds,
            milestones=said,
            system=system,
            serial_log=serial_log,
            tail=tail,
        )


class _Watch:
    """Tells what a running machine says, and when it need not be waited for any longer."""

    def __init__(self, name: str, live: LiveMachine, expected: Expectation, started: float, note: Note) -> None:
        self._name = name
        self._live = live
        self._expected = expected
        self._started = started
        self._note = note
        self._told = 0
        self._last = started
        self._give_up = float("inf")

    def look(self) -> bool:
        """False: nothing better can come."""
        now = time.monotonic()
        said = self._live.milestones()
        for milestone in said[self._told :]:
            at = "" if milestone.uptime is None else f" at {milestone.uptime:.1f} s"
            self._say(now, f"{milestone.name}{at}")
            if milestone.name.endswith(_FAILED) and milestone.name not in self._expected.milestones:
                self._give_up = now + _GRACE_SECONDS
        self._told = len(said)
        if now - self._last >= _STILL_SECONDS:
            self._say(now, "still running")
        return now < self._give_up

    def _say(self, now: float, text: str) -> None:
        self._last = now
        self._note(f"{self._name}: {now - self._started:4.0f} s  {text}")


def shortcoming(expected: Expectation, ending: Ending, said: Sequence[Milestone], system: GuestVerdict | None) -> str:
    """Why a stage is not what was expected; "" if it is. The earliest shortcoming tells most."""
    rest = iter([milestone.name for milestone in said])
    missing = next((name for name in expected.milestones if name not in rest), None)
    failed = [each.name for each in said if each.name.endswith(_FAILED) and each.name not in expected.milestones]
    if failed:
        return f"the unit reported {failed[0]}"
    if missing is not None:
        return f"milestone {missing!r} was not reached (ended by {ending.value})"
    if ending is not expected.ending:
        return f"expected the guest to end by {expected.ending.value}, it ended by {ending.value}"
    if expected.verdict is not None and (system is None or system.verdict != expected.verdict):
        found = system.verdict if system else "nothing"
        return f"expected the system to report {expected.verdict!r}, it reported {found!r}"
    return ""


def last_lines(path: str, count: int = _TAIL_LINES) -> tuple[str, ...]:
    """The end of a console log, without what would move the cursor of whoever reads it."""
    try:
        text = read_file(path).decode(errors="replace")
    except DeviceMissing:
        return ()
    lines = ("".join(filter(str.isprintable, line)).strip() for line in text.splitlines())
    return tuple([line for line in lines if line][-count:])
