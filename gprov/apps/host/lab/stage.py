"""Runs one start of a unit's machine and compares it with its expectation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.runner import Ending, ProgressCallback, Runner, RunningMachine
from gprov.apps.host.lab.screens import ScreenLog, screens_file
from gprov.domain.errors import DeviceMissing

# Milestones of the unit's apps (gprov.apps.init).
INIT_STARTED = "init-started"
HANDOVER = "handover"
# Suffix of the process states that stand for a failure.
_FAILED = "_FAILED"
# Time for a unit that failed to save its log.
_GRACE_SECONDS = 15.0
_STILL_SECONDS = 15.0
_TAIL_LINES = 25


class StageVerdict(Enum):
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Expectation:
    """``milestones``: must occur in this order; others may occur in between. ``verdict``: expected report of the
    operating system; None if it is not expected to start."""

    ending: Ending
    milestones: tuple[str, ...]
    seconds: float
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """``reason``: of the failure, "" if passed. ``seconds``: on the host's clock, from power-on to the end."""

    name: str
    verdict: StageVerdict
    reason: str
    ending: Ending
    seconds: float
    milestones: tuple[GuestMilestone, ...]
    system: GuestReport | None
    serial_log: str
    tail: tuple[str, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        return self.verdict is StageVerdict.PASSED

    def uptime_at(self, milestone: str) -> float | None:
        """Return the guest kernel's uptime in seconds at a milestone; None if it was not reached."""
        return next((each.uptime for each in self.milestones if each.name == milestone), None)


class StageRunner:
    """Runs stages. ``report`` receives one line per event."""

    def __init__(self, runner: Runner, report: ProgressCallback) -> None:
        self._runner = runner
        self._notify = report

    def run(
        self,
        name: str,
        machine: Machine,
        serial_log: str,
        expected: Expectation,
        during: Callable[[RunningMachine], None] = lambda _: None,
    ) -> StageResult:
        """Start the machine, call ``during``, wait for the end. Raises GprovError only if QEMU cannot be run."""
        started = time.monotonic()
        with self._runner.start(machine, serial_log) as live:
            watch = _StageWatch(name, live, expected, started, self._notify)
            if live.lcd is not None:
                watch.screens = ScreenLog(live.lcd, screens_file(serial_log), watch.note)
            during(live)
            remaining = max(0.0, expected.seconds - (time.monotonic() - started))
            ending = live.wait_end(remaining, watch.poll)
            watch.end()
            reached, system = live.milestones(), live.verdict()
        seconds = time.monotonic() - started
        reason = unmet_expectation(expected, ending, reached, system)
        verdict = StageVerdict.FAILED if reason else StageVerdict.PASSED
        self._notify(f"{name}: {verdict.value} in {seconds:.0f} s{f': {reason}' if reason else ''}")
        tail = last_lines(serial_log) if reason else ()
        return StageResult(
            name=name,
            verdict=verdict,
            reason=reason,
            ending=ending,
            seconds=seconds,
            milestones=reached,
            system=system,
            serial_log=serial_log,
            tail=tail,
        )


class _StageWatch:
    """Reports the milestones of a running machine, and ends the wait some time after a failure. ``screens``: of its
    display."""

    def __init__(
        self, name: str, live: RunningMachine, expected: Expectation, started: float, report: ProgressCallback
    ) -> None:
        self._name = name
        self._live = live
        self._expected = expected
        self._started = started
        self._notify = report
        self._reported = 0
        self._last = started
        self._give_up = float("inf")
        self.screens: ScreenLog | None = None

    def poll(self) -> bool:
        """Return False when waiting longer is of no use."""
        if self.screens is not None:
            self.screens.poll()
        now = time.monotonic()
        reached = self._live.milestones()
        for milestone in reached[self._reported :]:
            at = "" if milestone.uptime is None else f" at {milestone.uptime:.1f} s"
            self._report(now, f"{milestone.name}{at}")
            if milestone.name.endswith(_FAILED) and milestone.name not in self._expected.milestones:
                self._give_up = now + _GRACE_SECONDS
        self._reported = len(reached)
        if now - self._last >= _STILL_SECONDS:
            self._report(now, "still running")
        return now < self._give_up

    def end(self) -> None:
        if self.screens is not None:
            self.screens.end()

    def note(self, text: str) -> None:
        self._report(time.monotonic(), text)

    def _report(self, now: float, text: str) -> None:
        self._last = now
        self._notify(f"{self._name}: {now - self._started:4.0f} s  {text}")


def unmet_expectation(
    expected: Expectation, ending: Ending, reached: Sequence[GuestMilestone], system: GuestReport | None
) -> str:
    """Return the first reason why a stage does not meet its expectation, "" if it does."""
    rest = iter([milestone.name for milestone in reached])
    missing = next((name for name in expected.milestones if name not in rest), None)
    failed = [each.name for each in reached if each.name.endswith(_FAILED) and each.name not in expected.milestones]
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
    """Return the last lines of a console log, without control characters."""
    try:
        text = read_file(path).decode(errors="replace")
    except DeviceMissing:
        return ()
    lines = ("".join(filter(str.isprintable, line)).strip() for line in text.splitlines())
    return tuple([line for line in lines if line][-count:])
