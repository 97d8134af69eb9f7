"""The event bus: numbers and times what a flow says, remembers it, and hands it to sinks that may come late or die."""

from __future__ import annotations

import threading
from collections import deque

from gprov.domain.errors import GprovError
from gprov.domain.events import Body, Event, LogLine, Milestone, ProcessState, Progress, Severity, StateChange, Step
from gprov.ports.clock import Clock
from gprov.ports.events import EventSink

# Events kept for sinks that are attached later. A boot makes a few hundred; progress is not kept.
REMEMBERED = 5000
# Between two reports of one task's progress, seconds.
PROGRESS_INTERVAL = 1.0


class EventBus:
    """Every sink gets every event in order, also what is said while an event is being handed out (by a sink, or about
    one that failed). A sink that raises is dropped, and the others are told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sinks: list[EventSink] = []
        self._memory: deque[Event] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._lock = threading.RLock()
        self._pending: deque[Event] = deque()
        self._handing_out = False
        self._progress: dict[str, float] = {}

    def attach(self, sink: EventSink) -> None:
        """Add a sink and replay to it what was said before."""
        with self._lock:
            waiting = self._pending[0].number if self._pending else self._number + 1
            self._sinks.append(sink)
            before, self._handing_out = self._handing_out, True
            try:
                for event in [event for event in self._memory if event.number < waiting]:
                    if not self._deliver(sink, event):
                        break
            finally:
                self._handing_out = before
            self._hand_out()

    def detach(self, sink: EventSink) -> None:
        """Let a sink finish, and forget it."""
        with self._lock:
            if sink in self._sinks:
                self._sinks.remove(sink)
                self._close(sink)

    def close(self) -> None:
        """Let all sinks finish, in the order in which they came."""
        with self._lock:
            while self._sinks:
                self._close(self._sinks.pop(0))

    def log(self, text: str) -> None:
        self.publish(LogLine(text))

    def message(self, text: str) -> None:
        """For the person at the unit."""
        self.publish(LogLine(text, Severity.MSG))

    def warning(self, text: str) -> None:
        self.publish(LogLine(text, Severity.WARNING))

    def error(self, error: GprovError | str) -> None:
        """A failure: its sentence, then its details as log lines."""
        self.publish(LogLine(str(error), Severity.ERROR))
        if isinstance(error, GprovError):
            for line in error.details():
                self.log(f"  {line}")

    def state(self, state: ProcessState) -> None:
        self.publish(StateChange(state))

    def milestone(self, name: str) -> None:
        self.publish(Milestone(name, self._clock.monotonic()))

    def progress(self, task: str, done: int, total: int) -> None:
        """Thinned out: at most one a second for a task, besides its first and last. Without a total nobody knows which
        is the last."""
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

    def step(self, step: Step) -> None:
        self.publish(step)

    def publish(self, body: Body) -> None:
        with self._lock:
            self._number += 1
            event = Event(self._number, self._clock.now_ns(), body)
            if not isinstance(body, Progress):
                self._memory.append(event)
            self._pending.append(event)
            self._hand_out()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was said so far, without progress."""
        return tuple(self._memory)

    def _hand_out(self) -> None:
        """What is said meanwhile is handed out afterwards, so that no sink hears it out of order."""
        if self._handing_out:
            return
        self._handing_out = True
        try:
            while self._pending:
                event = self._pending.popleft()
                for sink in tuple(self._sinks):
                    self._deliver(sink, event)
        finally:
            self._handing_out = False

    def _deliver(self, sink: EventSink, event: Event) -> bool:
        try:
            sink.publish(event)
        except Exception as exc:  # noqa: BLE001 - a log must never stop the flow that it logs, whatever is wrong with it
            if sink in self._sinks:
                self._sinks.remove(sink)
                self._close(sink)  # what it holds open would keep its volume busy
            self.warning(f"event sink {sink.name} given up: {exc}")
            return False
        return True

    def _close(self, sink: EventSink) -> None:
        try:
            sink.close()
        except Exception as exc:  # noqa: BLE001 - as above
            self.warning(f"event sink {sink.name} did not end well: {exc}")
