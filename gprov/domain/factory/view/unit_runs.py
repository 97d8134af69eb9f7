"""Runs of a unit, from its state reports: what began, when it ended, how, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from gprov.domain.events import ProcessState
from gprov.domain.factory.states import FAILED, SUCCEEDED, Flow, flow_of


class RunEnd(Enum):
    """The values are shown."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_REPORTED = "end not reported"  # another run began
    OPEN = "not ended"


@dataclass(frozen=True, slots=True)
class TimedState:
    """A report that was applied. ``session``: its number."""

    state: ProcessState
    time_ns: int
    session: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``began_ns``: None if only the end was reported. ``ended_ns``: None if it has no end."""

    flow: Flow
    session: int
    began_ns: int | None
    ended_ns: int | None
    end: RunEnd

    @property
    def duration_ns(self) -> int | None:
        """None: not known. 0 if the server's clock was set back meanwhile."""
        if self.began_ns is None or self.ended_ns is None:
            return None
        return max(self.ended_ns - self.began_ns, 0)


def runs_of(reports: Iterable[TimedState]) -> tuple[Run, ...]:
    """``reports`` and the result: oldest first."""
    runs: list[Run] = []
    for report in reports:
        flow = flow_of(report.state)
        if flow is None:
            continue
        if runs and runs[-1].end is RunEnd.OPEN:
            last = runs[-1]
            same = last.flow is flow and last.session == report.session
            if same and report.state in FAILED | SUCCEEDED:
                runs[-1] = replace(last, ended_ns=report.time_ns, end=_end(report.state))
                continue
            runs[-1] = replace(last, end=RunEnd.NOT_REPORTED)
        runs.append(_run(flow, report))
    return tuple(runs)


def _run(flow: Flow, report: TimedState) -> Run:
    end = _end(report.state)
    began = report.time_ns if end is RunEnd.OPEN else None
    ended = None if end is RunEnd.OPEN else report.time_ns
    return Run(flow=flow, session=report.session, began_ns=began, ended_ns=ended, end=end)


def _end(state: ProcessState) -> RunEnd:
    if state in FAILED:
        return RunEnd.FAILED
    return RunEnd.SUCCEEDED if state in SUCCEEDED else RunEnd.OPEN
