"""Whether the runbook knows all that simulated units show: a second look at it, which reads no source."""

from __future__ import annotations

from functools import cache

from typing_extensions import override

from gprov.apps.host.runbook.matching import explain, expression
from gprov.domain.event_text import severity_of
from gprov.domain.events import Event, LogLine, OperationReport, Severity
from gprov.ports.events import EventSink
from tools.shown_texts.wording import is_prose


class UnknownTexts(EventSink):
    """Collects what a unit shows and the runbook has no entry for."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def __deepcopy__(self, memo: dict[int, object]) -> UnknownTexts:
        """Copies of a unit report to the same."""
        return self

    @property
    @override
    def name(self) -> str:
        return "runbook"

    @override
    def publish(self, event: Event) -> None:
        if severity_of(event.body) is Severity.LOG:
            return
        match event.body:
            case LogLine(text):
                self.look(text)
            case OperationReport(description=description, error=error):
                self.look(description)
                self.look(error)
            case _:
                raise AssertionError(event)

    def look(self, text: str) -> None:
        """A text that is shown. Its lines may be of several entries."""
        self.found.update(unknown_parts(text))

    @override
    def close(self) -> None:
        """Nothing is held back."""


UNKNOWN = UnknownTexts()


@cache
def unknown_parts(text: str) -> tuple[str, ...]:
    """The text itself if it has no entry; else the sentences in it that have none."""
    if not text.strip():
        return ()
    found = explain(text)
    if not found:
        lines = text.splitlines()
        return (text,) if len(lines) < 2 else tuple(part for line in lines for part in unknown_parts(line))
    [first, *_] = found
    match = expression(first.template).fullmatch(first.text)
    return tuple(
        part
        for value in (match.groups() if match is not None else ())
        if is_prose(value)
        for part in unknown_parts(value)
    )
