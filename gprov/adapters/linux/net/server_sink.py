"""EventSink that delivers a unit's events to the factory server in its own thread.

``publish`` takes a lock for a few instructions and never waits for the network. Memory is bounded: if too many events
are waiting, the oldest except state changes are dropped, and a log line states their number.

The thread waits on a condition with a timeout instead of the Clock port: ``publish`` and ``close`` end the wait.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from typing_extensions import override

from gprov.domain.errors import DeadlineExceeded, GprovError, NetworkFault
from gprov.domain.event_backlog import Backlog
from gprov.domain.events import Event, StateChange
from gprov.domain.factory.events import bounded
from gprov.domain.factory.replies import FactoryRefused
from gprov.ports.events import EventSink
from gprov.ports.factory import Telemetry

# Seconds between attempts while ``close`` waits.
_CLOSING_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """``limit``: events that may wait. ``batch``: events in one delivery at most. ``batch_delay``: seconds that a first
    event waits for others. ``pause``, ``longest_pause``: seconds between attempts, doubled each time.
    ``close_seconds``: timeout of ``close``."""

    limit: int = 5000
    batch: int = 250
    batch_delay: float = 0.1
    pause: float = 0.5
    longest_pause: float = 15.0
    close_seconds: float = 10.0


_DELIVERY = Delivery()


class ServerSink(EventSink):
    """``serial``: serial number of the unit that sends the events."""

    def __init__(self, telemetry: Telemetry, serial: str, *, delivery: Delivery = _DELIVERY) -> None:
        self._telemetry = telemetry
        self._serial = serial
        self._delivery = delivery
        self._backlog = Backlog(delivery.limit, "the server took too long")
        self._changed = threading.Condition()
        self._flush_now = False
        self._closing = False
        self._abandoned = False
        self._in_flight = 0
        self._refused = 0
        self._last_fault: GprovError | None = None
        # A daemon: a server that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._deliver, name="server-sink", daemon=True)
        self._thread.start()

    @property
    @override
    def name(self) -> str:
        return "factory server"

    @override
    def publish(self, event: Event) -> None:
        with self._changed:
            if self._closing:
                return
            self._backlog.add(bounded(event))
            self._flush_now = self._flush_now or isinstance(event.body, StateChange)
            self._changed.notify()

    @override
    def close(self) -> None:
        """Raises NetworkFault if some events were not delivered."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(self._delivery.close_seconds)
        with self._changed:
            self._abandoned = True
            self._changed.notify()
            left = len(self._backlog) + self._in_flight
        if left or self._refused:
            reason = str(self._last_fault or DeadlineExceeded("delivery", self._delivery.close_seconds))
            raise NetworkFault(self.name, f"{left + self._refused} events were not delivered; {reason}")

    def _deliver(self) -> None:
        while events := self._next():
            if not self._delivered(events):
                return

    def _next(self) -> tuple[Event, ...]:
        """Wait for events, then for more of them to fill a batch. Empty after ``close`` if all were delivered."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._backlog) or self._closing)
            self._changed.wait_for(
                lambda: len(self._backlog) >= self._delivery.batch or self._flush_now or self._closing,
                self._delivery.batch_delay,
            )
            self._flush_now = False
            events = self._backlog.take(self._delivery.batch)
            self._in_flight = len(events)
            return events

    def _delivered(self, events: tuple[Event, ...]) -> bool:
        """Repeat until the events are delivered or refused. Returns False at the deadline of ``close``."""
        pause = self._delivery.pause
        while True:
            try:
                self._telemetry.events(self._serial, events)
            except FactoryRefused as fault:  # the same would be refused again
                self._finish_batch(len(events), fault)
                return True
            except GprovError as fault:
                self._last_fault = fault
            else:
                self._finish_batch(0, None)
                return True
            if not self._paused(pause):
                return False
            pause = min(pause * 2, self._delivery.longest_pause)

    def _finish_batch(self, refused: int, fault: GprovError | None) -> None:
        with self._changed:
            self._in_flight = 0
            self._refused += refused
            self._last_fault = fault or self._last_fault

    def _paused(self, seconds: float) -> bool:
        """Wait before the next attempt; ``close`` ends the wait. Returns False after its deadline."""
        with self._changed:
            if not self._closing:
                self._changed.wait_for(lambda: self._closing, seconds)
            elif not self._abandoned:
                self._changed.wait_for(lambda: self._abandoned, min(seconds, _CLOSING_PAUSE))
            return not self._abandoned
