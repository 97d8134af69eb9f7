"""What a flow says while it runs. Events are values; sinks decide what to do with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ProcessState(Enum):
    """States that a unit reports to the factory; the values are what goes over the wire."""

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
    """LOG: for whoever reads the log. MSG: for the person at the unit. WARNING and ERROR: for both."""

    LOG = "LOG"
    MSG = "MSG"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class LogLine:
    text: str
    severity: Severity = Severity.LOG


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one long step is: ``done`` of ``total`` bytes (or items); total 0 if not known."""

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
    """One operation of a plan. ``seconds`` is how long it took (0 when it starts); ``error`` why it failed."""

    description: str
    phase: OperationPhase
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A point that measurements and tests look for. ``uptime``: seconds since the kernel started."""

    name: str
    uptime: float


Body = LogLine | Progress | StateChange | OperationReport | Milestone


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``time_ns``: UTC, nanoseconds since 1970; ``number``: order within this boot."""

    number: int
    time_ns: int
    body: Body
