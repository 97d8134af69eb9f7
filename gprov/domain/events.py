"""Events of a running flow: log lines, progress, state changes, operation reports and milestones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ProcessState(Enum):
    """Process states that a unit reports to the factory server; the values are used on the wire."""

    UNKNOWN = "UNKNOWN"
    MFG_STARTED = "MFG_STARTED"
    MFG_SUCCEEDED = "MFG_SUCCEEDED"
    MFG_FAILED = "MFG_FAILED"
    FR_STARTED = "FR_STARTED"
    FR_SUCCEEDED = "FR_SUCCEEDED"
    FR_FAILED = "FR_FAILED"
    INIT_STARTED = "INIT_STARTED"
    INIT_SUCCEEDED = "INIT_SUCCEEDED"
    INIT_FAILED = "INIT_FAILED"


class Severity(Enum):
    """LOG: log only. MSG: also displayed to the operator. WARNING and ERROR: logged and displayed."""

    LOG = "LOG"
    MSG = "MSG"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class LogLine:
    """``on_consoles``: a copy of what consoles have shown already; they do not show it again."""

    text: str
    severity: Severity = Severity.LOG
    on_consoles: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of one long task: ``done`` of ``total`` bytes (or items); ``total`` 0 if unknown."""

    task: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StateChange:
    state: ProcessState


class OperationPhase(Enum):
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OperationReport:
    """Report about an operation of a plan (``STEP`` on the wire). ``seconds``: its duration, 0 at the start;
    ``error``: reason of the failure, "" if there is none."""

    description: str
    phase: OperationPhase
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A named point in time for measurements and tests. ``uptime``: seconds since kernel start."""

    name: str
    uptime: float


Body = LogLine | Progress | StateChange | OperationReport | Milestone


@dataclass(frozen=True, slots=True)
class Event:
    """A body with time and number. ``time_ns``: UTC, nanoseconds since 1970; ``number``: order within this boot."""

    number: int
    time_ns: int
    body: Body
