"""Formats events as text. All sinks use this format of a log line.

``2026-03-01T12:30:59.123Z ERROR /dev/sda: cannot read`` — UTC, severity, text. Line breaks in a text become indented
further lines and other control characters are escaped, so that only the first line of an event begins with a digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    OperationPhase,
    OperationReport,
    Progress,
    Severity,
    StateChange,
)
from gprov.domain.formats.printable import printable_text

if TYPE_CHECKING:  # each import is time on every boot, which formats no time
    from datetime import datetime

_INDENT = "\n    "


def event_text(event: Event) -> str:
    """Log lines of an event: one per line of its text, without a final line feed."""
    text = _INDENT.join(printable_lines(event.body))
    return f"{timestamp(event.time_ns)} {severity_of(event.body).value} {text}"


def printable_lines(body: Body) -> tuple[str, ...]:
    """``body_text`` as lines that do nothing to a terminal, however strange the names in it are."""
    return tuple(printable_text(line) for line in body_text(body).splitlines()) or ("",)


def displayed_text(body: Body) -> str:
    """Text of an event for a person: its severity is said in words. Empty for events that are only logged."""
    text = "\n".join(printable_lines(body))
    match severity_of(body):
        case Severity.LOG:
            return ""
        case Severity.MSG:
            return text
        case Severity.WARNING:
            return f"Warning: {text}"
        case Severity.ERROR:
            return f"ERROR: {text}"


def body_text(body: Body) -> str:
    """Text of an event without time and severity. Control characters are not escaped."""
    match body:
        case LogLine(text):
            return text
        case Progress(task, done, total):
            return f"{task}: {percent(body)}% ({done} of {total})" if total else f"{task}: {done}"
        case StateChange(state):
            return f"state {state.value}"
        case OperationReport():
            return _operation_text(body)
        case Milestone(name, uptime):
            return f"milestone {name} at {uptime:.3f} s"


def severity_of(body: Body) -> Severity:
    match body:
        case LogLine(severity=severity):
            return severity
        case OperationReport(_, OperationPhase.FAILED):
            return Severity.ERROR
        case _:
            return Severity.LOG


def is_on_consoles(body: Body) -> bool:
    """Whether consoles have shown it already."""
    return isinstance(body, LogLine) and body.on_consoles


def percent(progress: Progress) -> int:
    """0 to 100, rounded down; 0 if the total is unknown."""
    return min(100, max(0, progress.done * 100 // progress.total)) if progress.total > 0 else 0


def timestamp(time_ns: int) -> str:
    """ISO 8601 in UTC with milliseconds. Times before 1970 or after 9999 are clamped."""
    return f"{_instant(time_ns):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def log_name(stage: str, time_ns: int) -> str:
    """Name of a log file: ``<stage><yyyymmdd_hhmm>.log``, time in UTC."""
    return f"{stage}{_instant(time_ns):%Y%m%d_%H%M}.log"


def _instant(time_ns: int) -> datetime:
    from datetime import UTC, datetime, timedelta

    last = datetime(9999, 12, 31, tzinfo=UTC)
    milliseconds = max(0, time_ns // 1_000_000)
    try:
        return min(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds), last)
    except OverflowError:
        return last


def _operation_text(report: OperationReport) -> str:
    match report.phase:
        case OperationPhase.STARTED:
            return f"start: {report.description}"
        case OperationPhase.DONE:
            return f"done in {report.seconds:.1f} s: {report.description}"
        case OperationPhase.FAILED:
            return f"failed after {report.seconds:.1f} s: {report.description}: {report.error}"
