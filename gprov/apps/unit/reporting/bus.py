"""The event bus: numbers events, adds their time, keeps them for replay and passes them to all sinks in order."""

from __future__ import annotations

import threading
from collections import deque

from gprov.domain.errors import GprovError
from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)
from gprov.ports.clock import Clock
from gprov.ports.events import EventSink

# Events kept for sinks that are attached later. A boot publishes a few hundred; progress is not kept.
REPLAY_LIMIT = 5000
# Minimum time between two reports of one task's progress, seconds.
PROGRESS_INTERVAL = 1.0


class EventBus:
    """Every sink gets every event in order. Events published while another one is being passed on (by a sink, or about
    a sink that failed) come after it. A sink that raises is removed, and a warning to the others reports it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sinks: list[EventSink] = []
        self._memory: deque[Event] = deque(maxlen=REPLAY_LIMIT)
        self._number = 0
        self._lock = threading.RLock()
        self._pending: deque[Event] = deque()
        self._dispatching = False
        self._progress: dict[str, float] = {}

    def attach(self, sink: EventSink) -> None:
        """Add a sink and replay the earlier events to it."""
        with self._lock:
            waiting = self._pending[0].number if self._pending else self._number + 1
            self._sinks.append(sink)
            before, self._dispatching = self._dispatching, True
            try:
                for event in [event for event in self._memory if event.number < waiting]:
                    if not self._deliver(sink, event):
                        break
            finally:
                self._dispatching = before
            self._dispatch()

    def detach(self, sink: EventSink) -> None:
        """Close a sink and remove it."""
        with self._lock:
            if sink in self._sinks:
                self._sinks.remove(sink)
                self._close(sink)

    def close(self) -> None:
        """Close all sinks, in the order in which they were attached."""
        with self._lock:
            while self._sinks:
                self._close(self._sinks.pop(0))

    def log(self, text: str) -> None:
        self.publish(LogLine(text))

    def copy_of_console(self, text: str) -> None:
        """What consoles have shown already, for the logs."""
        self.publish(LogLine(text, on_consoles=True))

    def message(self, text: str) -> None:
        """For the person at the unit."""
        self.publish(LogLine(text, Severity.MSG))

    def warning(self, text: str) -> None:
        self.publish(LogLine(text, Severity.WARNING))

    def error(self, error: GprovError | str) -> None:
        """A failure: its message, then its details as log lines."""
        self.publish(LogLine(str(error), Severity.ERROR))
        if isinstance(error, GprovError):
            for line in error.details():
                self.log(f"  {line}")

    def state(self, state: ProcessState) -> None:
        self.publish(StateChange(state))

    def milestone(self, name: str) -> None:
        self.publish(Milestone(name, self._clock.monotonic()))

    def progress(self, task: str, done: int, total: int) -> None:
        """``done`` and ``total`` in units of the task; ``total`` is 0 if it is not known. Published at most once per
        PROGRESS_INTERVAL and task, except the first report and the one that reaches a known total."""
        with self._lock:
            now = self._clock.monotonic()
            finished = total > 0 and done >= total
            last = self._progress.pop(task, None)
            if last is not None and not finished and now - last < PROGRESS_INTERVAL:
                self._progress[task] = last
                return
            if not finished:
                self._progress[task] = now
            self.publish(Progress(task, done, total))

    def operation(self, report: OperationReport) -> None:
        self.publish(report)

    def publish(self, body: Body) -> None:
        with self._lock:
            self._number += 1
            event = Event(self._number, self._clock.now_ns(), body)
            if not isinstance(body, Progress):
                self._memory.append(event)
            self._pending.append(event)
            self._dispatch()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events kept for replay, oldest first."""
        return tuple(self._memory)

    def _dispatch(self) -> None:
        """Events published meanwhile are appended, so that every sink gets all events in order."""
        if self._dispatching:
            return
        self._dispatching = True
        try:
            while self._pending:
                event = self._pending.popleft()
                for sink in tuple(self._sinks):
                    self._deliver(sink, event)
        finally:
            self._dispatching = False

    def _deliver(self, sink: EventSink, event: Event) -> bool:
        try:
            sink.publish(event)
        except Exception as exc:  # noqa: BLE001 - no failure of a log may stop the flow
            if sink in self._sinks:
                self._sinks.remove(sink)
                self._close(sink)  # an open file would keep its volume busy
            self.warning(f"event sink {sink.name} given up: {exc}")
            return False
        return True

    def _close(self, sink: EventSink) -> None:
        try:
            sink.close()
        except Exception as exc:  # noqa: BLE001 - as above
            self.warning(f"event sink {sink.name} did not end well: {exc}")
