"""Events as text: the one format of a log line, wherever it is written.

``2026-03-01T12:30:59.123Z ERROR /dev/sda: cannot read`` — UTC, severity, text. Line breaks in a text become indented
further lines and other control characters are escaped: a line that begins with a digit is always an event of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gprov.domain.events import Body, Event, LogLine, Milestone, Progress, Severity, StateChange, Step, StepPhase
from gprov.domain.formats.shown import printable_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_INDENT = "\n    "


def event_text(event: Event) -> str:
    """One line, or several if its text has several; without a line feed at the end."""
    text = _INDENT.join(printable_lines(event.body))
    return f"{timestamp(event.time_ns)} {severity_of(event.body).value} {text}"


def printable_lines(body: Body) -> tuple[str, ...]:
    """``body_text`` as lines that do nothing to a terminal, however strange the names in it are."""
    return tuple(printable_text(line) for line in body_text(body).splitlines()) or ("",)


def body_text(body: Body) -> str:
    """What happened, without time and severity, as it is."""
    match body:
        case LogLine(text):
            return text
        case Progress(task, done, total):
            return f"{task}: {percent(body)}% ({done} of {total})" if total else f"{task}: {done}"
        case StateChange(state):
            return f"state {state.value}"
        case Step():
            return _step_text(body)
        case Milestone(name, uptime):
            return f"milestone {name} at {uptime:.3f} s"


def severity_of(body: Body) -> Severity:
    match body:
        case LogLine(_, severity):
            return severity
        case Step(_, StepPhase.FAILED):
            return Severity.ERROR
        case _:
            return Severity.LOG


def percent(progress: Progress) -> int:
    """0 to 100, rounded down; 0 if nobody knows the total."""
    return min(100, max(0, progress.done * 100 // progress.total)) if progress.total > 0 else 0


def timestamp(time_ns: int) -> str:
    """ISO 8601 in UTC with milliseconds. What is outside of its calendar becomes the nearest that is not."""
    return f"{_instant(time_ns):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def log_name(stage: str, time_ns: int) -> str:
    """Name of a log file: ``<stage><yyyymmdd_hhmm>.log``, time in UTC."""
    return f"{stage}{_instant(time_ns):%Y%m%d_%H%M}.log"


def _instant(time_ns: int) -> datetime:
    milliseconds = max(0, time_ns // 1_000_000)
    try:
        return min(_EPOCH + timedelta(milliseconds=milliseconds), _LAST)
    except OverflowError:
        return _LAST


def _step_text(step: Step) -> str:
    match step.phase:
        case StepPhase.STARTED:
            return f"start: {step.description}"
        case StepPhase.DONE:
            return f"done in {step.seconds:.1f} s: {step.description}"
        case StepPhase.FAILED:
            return f"failed after {step.seconds:.1f} s: {step.description}: {step.error}"
