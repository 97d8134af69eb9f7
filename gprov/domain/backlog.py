"""Events that wait for a sink that takes its time: bounded, in order, honest about what was dropped."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from gprov.domain.events import Event, LogLine, Progress, Severity, StateChange


class Backlog:
    """Events that wait, oldest first, at most ``limit`` of them (and as many state changes) with ``room`` characters of
    text. ``why``: what is said where some were dropped. Not thread-safe."""

    def __init__(self, limit: int, why: str, *, room: int = 4 << 20) -> None:
        self._limit = limit
        self._why = why
        self._room = room
        self._waiting: deque[Event] = deque()
        self._states: deque[Event] = deque()  # saved from being dropped; all older than what waits
        self._dropped = 0
        self._gap: Event | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._states) + (self._gap is not None)

    def add(self, event: Event) -> None:
        last = self._waiting[-1].body if self._waiting else None
        if isinstance(event.body, Progress) and isinstance(last, Progress) and last.task == event.body.task:
            self._waiting.pop()  # only the latest matters
        self._waiting.append(event)
        self._room -= _length(event)
        while len(self._waiting) > self._limit or self._room < 0:
            self._make_room()

    def take(self, most: int) -> tuple[Event, ...]:
        """The oldest events, at most ``most`` besides what was saved. Where events were dropped, one that says so
        stands in their place, with the number and time of the last of them."""
        taken = sorted((*self._states, *self._notices()), key=lambda event: event.number)
        self._states.clear()
        while self._waiting and most > 0:
            taken.append(self._oldest())
            most -= 1
        return tuple(taken)

    def _oldest(self) -> Event:
        oldest = self._waiting.popleft()
        self._room += _length(oldest)
        return oldest

    def _make_room(self) -> None:
        oldest = self._oldest()
        if isinstance(oldest.body, StateChange):
            self._states.append(oldest)
            if len(self._states) <= self._limit:
                return
            oldest = self._states.popleft()
        self._dropped += 1
        self._gap = oldest

    def _notices(self) -> tuple[Event, ...]:
        if self._gap is None:
            return ()
        text = f"{self._dropped} events were lost here: {self._why}"
        notice = replace(self._gap, body=LogLine(text, Severity.WARNING))
        self._gap, self._dropped = None, 0
        return (notice,)


def _length(event: Event) -> int:
    """Characters of the only text that may be long."""
    return len(event.body.text) if isinstance(event.body, LogLine) else 0
