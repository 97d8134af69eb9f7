"""Event sinks that keep or deliver events at once."""

from __future__ import annotations

from typing_extensions import override

from gprov.domain.event_text import event_text
from gprov.domain.events import Event, StateChange
from gprov.domain.log_files import next_log_name
from gprov.ports.events import EventSink
from gprov.ports.factory import Telemetry
from gprov.ports.files import Files


class MemorySink(EventSink):
    """Keeps all events in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    @property
    @override
    def name(self) -> str:
        return "memory"

    @override
    def publish(self, event: Event) -> None:
        self.events.append(event)

    @override
    def close(self) -> None:
        self.closed = True


class FakeFileSink(EventSink):
    """A log file that is written as a whole with each event."""

    def __init__(self, files: Files, folder: str, stage: str, time_ns: int) -> None:
        names = files.names(folder) if files.status(folder) is not None else ()
        self._path = f"{folder}/{next_log_name(stage, time_ns, names)}"
        self._files = files
        self._text = ""

    @property
    @override
    def name(self) -> str:
        return self._path

    @override
    def publish(self, event: Event) -> None:
        self._text += event_text(event) + "\n"
        self._files.replace(self._path, self._text.encode())

    @override
    def close(self) -> None:
        """Nothing is held back."""


class FakeServerSink(EventSink):
    """Delivers at once. A server that is down loses events, as it would in the end."""

    def __init__(self, telemetry: Telemetry, serial: str) -> None:
        self._telemetry = telemetry
        self._serial = serial

    @property
    @override
    def name(self) -> str:
        return "factory server"

    @override
    def publish(self, event: Event) -> None:
        if isinstance(event.body, StateChange):
            self._telemetry.state(self._serial, event.body.state)
        else:
            self._telemetry.events(self._serial, (event,))

    @override
    def close(self) -> None:
        """Nothing is held back."""
