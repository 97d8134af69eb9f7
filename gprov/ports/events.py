"""Sinks of events."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.events import Event


class EventSink(Protocol):
    """Receives all events in order. If ``publish`` fails or is slow, the event bus keeps the flow running."""

    @property
    def name(self) -> str:
        """Name for messages about the sink."""

    def publish(self, event: Event) -> None: ...

    def close(self) -> None:
        """Deliver buffered events, within the sink's own deadline."""
