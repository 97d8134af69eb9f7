"""Event sinks that keep or deliver events at once."""

from __future__ import annotations

from typing_extensions import override

from gprov.domain.events import Event, StateChange
from gprov.ports.events import EventSink
from gprov.ports.factory import Telemetry


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
