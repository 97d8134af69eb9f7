"""Warnings of use cases, as lines on standard error."""

from __future__ import annotations

from typing_extensions import override

from gprov.apps.host.cli.output import say
from gprov.domain.events import Event, LogLine, Severity
from gprov.ports.events import EventSink


class WarningLines(EventSink):
    @property
    @override
    def name(self) -> str:
        return "standard error"

    @override
    def publish(self, event: Event) -> None:
        if isinstance(event.body, LogLine) and event.body.severity in (Severity.WARNING, Severity.ERROR):
            say(f"gprov: {event.body.text}", err=True, colour="yellow")

    @override
    def close(self) -> None:
        """Nothing is buffered."""
