"""A sink that works in the background, so that a slow or failing medium does not delay the flow."""

from __future__ import annotations

import threading

from typing_extensions import override

from gprov.domain.errors import DeadlineExceeded
from gprov.domain.event_backlog import Backlog
from gprov.domain.events import Event
from gprov.ports.background import Background, Task
from gprov.ports.events import EventSink

# Name of the background task that writes the log on RECOVERY.
FILE_LOG = "file-log"
# Events that may wait. A restore publishes a few hundred.
LIMIT = 5000
# How long ``close`` waits until all events are on the medium: a slow USB key flushes for some seconds.
CLOSE_SECONDS = 20.0
# Events taken from the queue together: if the queue overflows, the loss is in one place.
_BATCH = 100


class QueuedSink(EventSink):
    """Passes events to another sink in the background: in order, and never two at a time.

    At most ``limit`` events wait; dropped events are replaced by a warning with their number. ``close`` waits at most
    ``seconds`` until the other sink has all events and is closed. A sink that hangs is abandoned: it gets no more
    events, and is closed if its call ever returns.
    """

    def __init__(
        self,
        sink: EventSink,
        background: Background,
        name: str = FILE_LOG,
        *,
        limit: int = LIMIT,
        seconds: float = CLOSE_SECONDS,
    ) -> None:
        self._sink = sink
        self._background = background
        self._task_name = name
        self._seconds = seconds
        self._backlog = Backlog(limit, "the medium took too long")
        self._lock = threading.RLock()
        self._task: Task | None = None
        self._busy = False
        self._in_flight = 0
        self._fault: Exception | None = None
        self._fault_raised = False
        self._closing = False
        self._abandoned = False

    @property
    @override
    def name(self) -> str:
        return self._sink.name

    @override
    def publish(self, event: Event) -> None:
        """Raises an exception of the other sink, perhaps about an earlier event."""
        with self._lock:
            if self._closing:
                return
            self._backlog.add(event)
            self._start_worker()
            self._raise_fault()

    @override
    def close(self) -> None:
        """Raises DeadlineExceeded if not all events were taken in time, or an exception of the other sink."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._start_worker()
            task = self._task
        if task is not None and not task.wait(self._seconds):
            with self._lock:
                self._abandoned = True
                left = len(self._backlog) + self._in_flight
            raise DeadlineExceeded(f"flushing it, with {left} events to go", self._seconds)
        with self._lock:
            self._raise_fault()

    def _raise_fault(self) -> None:
        if self._fault is not None and not self._fault_raised:
            self._fault_raised = True
            raise self._fault

    def _start_worker(self) -> None:
        if not self._busy:
            self._busy = True
            self._task = self._background.start(self._task_name, self._drain)

    def _drain(self) -> None:
        """Pass on events until none waits. The next event starts the worker again: so a simulated machine, which runs
        background work at once, needs no thread."""
        while events := self._next():
            try:
                for event in events:
                    self._sink.publish(event)
                    self._in_flight -= 1
                    if self._abandoned:
                        break
            except Exception as exc:  # noqa: BLE001 - the bus removes a sink after any exception
                self._fault = exc
        if events is not None:
            self._close_sink()

    def _next(self) -> tuple[Event, ...] | None:
        """Empty: all events are passed on, close the other sink. None: stop; the next event starts the worker again."""
        with self._lock:
            given_up = self._fault is not None or self._abandoned
            events = () if given_up else self._backlog.take(_BATCH)
            self._in_flight = len(events)
            if not events and not self._closing:
                self._busy = False
                return None
            return events

    def _close_sink(self) -> None:
        """An open file of the other sink would keep its volume busy. No event is passed on after this."""
        try:
            self._sink.close()
        except Exception as exc:  # noqa: BLE001 - as above
            self._fault, self._fault_raised = exc, False
