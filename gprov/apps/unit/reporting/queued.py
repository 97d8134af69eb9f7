"""A sink that works beside the flow: whatever its medium does, the flow goes on."""

from __future__ import annotations

import threading

from typing_extensions import override

from gprov.domain.backlog import Backlog
from gprov.domain.errors import DeadlineExceeded
from gprov.domain.events import Event
from gprov.ports.background import Background, Task
from gprov.ports.events import EventSink

# Name of what runs in the background for the log on RECOVERY.
FILE_LOG = "file-log"
# Events that may wait. A restore says a few hundred things.
LIMIT = 5000
# How long the end of a flow waits for what was said to reach the medium: a slow USB key flushes for some seconds.
CLOSE_SECONDS = 20.0
# Taken from the queue at once, so that what is lost when it overflows is lost in one place.
_BATCH = 100


class QueuedSink(EventSink):
    """Hands events to another sink in the background: in order, and never two at a time.

    What waits is bounded; where something had to be dropped, a warning in its place says how much. ``close`` waits at
    most ``seconds`` until the other sink has everything and is closed. A sink that hangs is left behind: it hears no
    more, and is closed should it ever come back.
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
        self._told = False
        self._closing = False
        self._left_behind = False

    @property
    @override
    def name(self) -> str:
        return self._sink.name

    @override
    def publish(self, event: Event) -> None:
        """Raises what the other sink raised, though it may have been at an event before this one."""
        with self._lock:
            if self._closing:
                return
            self._backlog.add(event)
            self._go_on()
            self._raise_fault()

    @override
    def close(self) -> None:
        """Raises DeadlineExceeded if not everything was taken in time, or what the other sink raised since."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._go_on()
            task = self._task
        if task is not None and not task.wait(self._seconds):
            with self._lock:
                self._left_behind = True
                left = len(self._backlog) + self._in_flight
            raise DeadlineExceeded(f"flushing it, with {left} events to go", self._seconds)
        with self._lock:
            self._raise_fault()

    def _raise_fault(self) -> None:
        if self._fault is not None and not self._told:
            self._told = True
            raise self._fault

    def _go_on(self) -> None:
        if not self._busy:
            self._busy = True
            self._task = self._background.start(self._task_name, self._work)

    def _work(self) -> None:
        """Until nothing waits any more. The next event begins anew: so a simulated machine, which does everything at
        once, needs no thread."""
        while events := self._next():
            try:
                for event in events:
                    self._sink.publish(event)
                    self._in_flight -= 1
                    if self._left_behind:
                        break
            except Exception as exc:  # noqa: BLE001 - the bus gives up a sink for whatever is wrong with it
                self._fault = exc
        if events is not None:
            self._end()

    def _next(self) -> tuple[Event, ...] | None:
        """Empty: everything is told, close the other sink. None: somebody else will go on."""
        with self._lock:
            given_up = self._fault is not None or self._left_behind
            events = () if given_up else self._backlog.take(_BATCH)
            self._in_flight = len(events)
            if not events and not self._closing:
                self._busy = False
                return None
            return events

    def _end(self) -> None:
        """What the other sink holds open would keep its volume busy. From here on nobody publishes."""
        try:
            self._sink.close()
        except Exception as exc:  # noqa: BLE001 - as above
            self._fault, self._told = exc, False
