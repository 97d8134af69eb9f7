"""Appending batches of events to the logs of units, several batches in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gprov.apps.server.store.bounds import cut_log
from gprov.apps.server.store.bulk import NumberRange, known_numbers
from gprov.apps.server.store.rows import LogEntry, Origin, append, origins_of
from gprov.apps.server.store.state_reports import report_state
from gprov.domain.events import Event, StateChange
from gprov.domain.factory.events import encode_body, event_type
from gprov.domain.factory.requests import EventBatch, StateReport

# Entries that wait to be written together: they take memory.
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Appended:
    """``count``: events that were new; ``states``: whether any of them reports a state."""

    count: int
    states: bool


class UnitLogs:
    """``now``: the server's clock, UTC, ns. ``most``: bytes of one unit's log. ``strict``: as in ``report_state``."""

    def __init__(self, now: Callable[[], int], most: int, *, strict: bool) -> None:
        self._now = now
        self._most = most
        self._strict = strict

    def append(self, db: Connection, batches: Sequence[EventBatch]) -> list[Appended]:
        """Append the events that the log does not have yet, and apply the states that they report."""
        origins = origins_of(db, [batch.sender for batch in batches], self._now())
        new = _new_events(db, list(zip(origins, batches, strict=True)))
        waiting = _Waiting(db, self._most)
        for origin, batch, events in zip(origins, batches, new, strict=True):
            for event in events:
                waiting.add(origin, _entry(event))
                if isinstance(event.body, StateChange):
                    waiting.write()  # notes about this state follow its event
                    report = StateReport(batch.sender, event.body.state)
                    report_state(db, origin, report, event.number, strict=self._strict)
        waiting.write()
        return [Appended(len(events), any(isinstance(each.body, StateChange) for each in events)) for events in new]


class _Waiting:
    """Entries that are not written yet, for one statement. ``most``: bytes of one unit's log."""

    def __init__(self, db: Connection, most: int) -> None:
        self._db = db
        self._most = most
        self._entries: list[tuple[Origin, list[LogEntry]]] = []
        self._count = 0

    def add(self, origin: Origin, entry: LogEntry) -> None:
        if not self._entries or self._entries[-1][0] != origin:
            self._entries.append((origin, []))
        self._entries[-1][1].append(entry)
        self._count += 1
        if self._count >= _AT_ONCE:
            self.write()

    def write(self) -> None:
        if not self._count:
            return
        sizes = append(self._db, self._entries)
        self._entries, self._count = [], 0
        for unit, size in sizes.items():
            if size > self._most:
                cut_log(self._db, unit, self._most)


def _new_events(db: Connection, given: Sequence[tuple[Origin, EventBatch]]) -> list[list[Event]]:
    """Events that the logs do not have, each number of a session once."""
    numbers = ((origin.session, [event.number for event in batch.events]) for origin, batch in given)
    known = known_numbers(db, [NumberRange(session, min(some), max(some)) for session, some in numbers if some])
    new: list[list[Event]] = []
    for origin, batch in given:
        new.append([])
        for event in batch.events:
            if (origin.session, event.number) not in known:
                known.add((origin.session, event.number))
                new[-1].append(event)
    return new


def _entry(event: Event) -> LogEntry:
    return LogEntry(event.number, event.time_ns, event_type(event.body), encode_body(event.body))
