"""Bounded queue of events for a slow sink. Dropped events are replaced by one warning with their number."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from gprov.domain.events import Event, LogLine, Progress, Severity, StateChange


class Backlog:
    """Queue of at most ``limit`` events (and as many state changes) with at most ``max_characters`` of text, oldest
    first. ``drop_reason``: text of the warning about dropped events. Not thread-safe."""

    def __init__(self, limit: int, drop_reason: str, *, max_characters: int = 4 << 20) -> None:
        self._limit = limit
        self._drop_reason = drop_reason
        self._free_characters = max_characters
        self._waiting: deque[Event] = deque()
        self._states: deque[Event] = deque()  # kept when other events are dropped; older than all of _waiting
        self._dropped = 0
        self._gap: Event | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._states) + (self._gap is not None)

    def add(self, event: Event) -> None:
        last = self._waiting[-1].body if self._waiting else None
        if isinstance(event.body, Progress) and isinstance(last, Progress) and last.task == event.body.task:
            self._waiting.pop()  # the newer value replaces it
        self._waiting.append(event)
        self._free_characters -= _length(event)
        while len(self._waiting) > self._limit or self._free_characters < 0:
            self._drop_oldest()

    def take(self, limit: int) -> tuple[Event, ...]:
        """Remove and return the kept state changes and at most ``limit`` further events, oldest first. A warning
        replaces dropped events; its number and time are those of the last of them."""
        taken = sorted((*self._states, *self._notices()), key=lambda event: event.number)
        self._states.clear()
        while self._waiting and limit > 0:
            taken.append(self._oldest())
            limit -= 1
        return tuple(taken)

    def _oldest(self) -> Event:
        oldest = self._waiting.popleft()
        self._free_characters += _length(oldest)
        return oldest

    def _drop_oldest(self) -> None:
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
        text = f"{self._dropped} events were lost here: {self._drop_reason}"
        notice = replace(self._gap, body=LogLine(text, Severity.WARNING))
        self._gap, self._dropped = None, 0
        return (notice,)


def _length(event: Event) -> int:
    """Characters of a log text; texts of other events are short."""
    return len(event.body.text) if isinstance(event.body, LogLine) else 0
