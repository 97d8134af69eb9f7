"""How the state of a unit follows from its reports.

There are two ways to report: posting directly, and STATE events in the log of the same session. A program may use
either or both, and the log may lag behind. So of a session that has reported directly, only direct reports count; of
any other session, its events count in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gprov.domain.events import ProcessState


class Verdict(Enum):
    """How a report was judged; the values are stored and shown."""

    APPLIED = "applied"
    REPEATED = "repeated"  # the last report of the same session was the same
    LATE = "late"  # an event that a direct report or a later event has overtaken
    CONTRADICTED = "contradicted"  # success after failure
    UNPROVEN = "unproven"  # of a session that may not change the unit


class Flow(Enum):
    MFG = "MFG"
    FR = "FR"
    INIT = "INIT"


FAILED = frozenset({ProcessState.MFG_FAILED, ProcessState.FR_FAILED, ProcessState.INIT_FAILED})
SUCCEEDED = frozenset({ProcessState.MFG_SUCCEEDED, ProcessState.FR_SUCCEEDED, ProcessState.INIT_SUCCEEDED})


def flow_of(state: ProcessState) -> Flow | None:
    return next((flow for flow in Flow if state.value.startswith(f"{flow.value}_")), None)


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """``provisioning``: the last MFG state. ``sealed``: a provisioning has succeeded, after which passwords are not
    handed out, except until ``open_until_ns`` (UTC) if a person reopened them."""

    state: ProcessState = ProcessState.UNKNOWN
    provisioning: ProcessState = ProcessState.UNKNOWN
    sealed: bool = False
    open_until_ns: int = 0

    @property
    def provisioned(self) -> bool:
        return self.provisioning is ProcessState.MFG_SUCCEEDED


@dataclass(frozen=True, slots=True)
class SessionReports:
    """What one session reported so far: states that were applied, oldest first; whether any of its reports was
    direct; the number of its last STATE event (-1: none)."""

    applied: Sequence[ProcessState] = ()
    direct: bool = False
    last_number: int = -1


def judge(
    state: ProcessState, number: int | None, session: SessionReports, *, current: bool, trusted: bool = True
) -> Verdict:
    """Judge a report. ``number`` of the event, None for a direct report; ``current``: the unit's state was
    reported by this same session; ``trusted``: the session may report this state (``unit_access``)."""
    if number is not None and (session.direct or number <= session.last_number):
        return Verdict.LATE
    if not trusted:
        return Verdict.UNPROVEN
    if current and session.applied and session.applied[-1] is state:
        return Verdict.REPEATED
    if state in SUCCEEDED and _last_of_flow(state, session) in FAILED:
        return Verdict.CONTRADICTED
    return Verdict.APPLIED


def advance(status: UnitStatus, state: ProcessState) -> UnitStatus:
    """The status after a report that was applied."""
    provisioning = state if flow_of(state) is Flow.MFG else status.provisioning
    after = replace(status, state=state, provisioning=provisioning)
    return replace(after, sealed=True, open_until_ns=0) if state is ProcessState.MFG_SUCCEEDED else after


def _last_of_flow(state: ProcessState, session: SessionReports) -> ProcessState | None:
    flow = flow_of(state)
    return next((earlier for earlier in reversed(session.applied) if flow_of(earlier) is flow), None)
