"""Where events go."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.events import Event


class EventSink(Protocol):
    """Receives every event in order. ``publish`` may fail or be slow: the bus shields the flow from both."""

    @property
    def name(self) -> str:
        """For the report about a sink that was given up."""

    def publish(self, event: Event) -> None: ...

    def close(self) -> None:
        """Deliver what is held back, within the sink's own deadline."""
