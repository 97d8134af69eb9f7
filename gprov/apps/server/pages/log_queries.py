"""A unit's log, filtered, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.event_lines import stored_form, stored_text
from gprov.apps.server.store.tables import events, sessions
from gprov.domain.factory.view.log_filters import LogFilter
from gprov.domain.factory.view.unit_filters import parse_time

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """``session``: None for a note of the server. ``time_ns``: of the unit's clock, ``received_ns``: the server's."""

    seq: int
    session: int | None
    time_ns: int
    received_ns: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: the lines before ``seq``, or (``forward``) those after it. ``seq`` None: the end of the log."""

    seq: int | None = None
    forward: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """``rows``: oldest first. ``older``, ``newer``: whether there are such lines."""

    rows: Sequence[LogRow]
    older: bool
    newer: bool


class LogQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, unit: int, asked: LogFilter, place: Place, limit: int) -> LogPage:
        """``unit``: its row."""
        with self._database.read() as db:
            rows = _first(_matching(db, unit, asked, place), limit + 1)
            more, rows = len(rows) > limit, rows[:limit]
            if place.forward:
                older = bool(_first(_matching(db, unit, asked, Place((place.seq or 0) + 1)), 1))
                return LogPage(rows, older, more)
            newer = place.seq is not None and bool(
                _first(_matching(db, unit, asked, Place(place.seq - 1, forward=True)), 1)
            )
            return LogPage(rows[::-1], more, newer)


def _first(rows: Iterator[LogRow], count: int) -> list[LogRow]:
    return [row for row, _ in zip(rows, range(count), strict=False)]


def _matching(db: Connection, unit: int, asked: LogFilter, place: Place) -> Iterator[LogRow]:
    """Oldest first if forward, else newest first. The database compares texts in their stored form, which has the names
    of fields as well; so the text itself is compared again."""
    seq, needle = place.seq, asked.text.lower()
    while True:
        batch = _batch(db, _where(unit, asked, Place(seq, place.forward)), forward=place.forward)
        yield from (row for row in batch if needle in row.text.lower())
        if len(batch) < _BATCH:
            return
        seq = batch[-1].seq


def _batch(db: Connection, where: Sequence[ColumnElement[bool]], *, forward: bool) -> Sequence[LogRow]:
    order = events.c.seq if forward else events.c.seq.desc()
    joined = select(events, sessions.c.number.label("of")).outerjoin(sessions, sessions.c.id == events.c.session)
    return [
        LogRow(
            seq=row.seq,
            session=row.of,
            time_ns=row.time_ns,
            received_ns=row.received_ns,
            kind=row.type,
            text=stored_text(row.type, row.body),
        )
        for row in db.execute(joined.where(*where).order_by(order).limit(_BATCH))
    ]


def _where(unit: int, asked: LogFilter, place: Place) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [events.c.unit == unit]
    if place.seq is not None:
        found.append(events.c.seq > place.seq if place.forward else events.c.seq < place.seq)
    if asked.kinds:
        found.append(events.c.type.in_(asked.kinds))
    if asked.session:
        found.append(sessions.c.number == int(asked.session))
    if asked.text and asked.text.isascii():
        found.append(events.c.body.icontains(stored_form(asked.text), autoescape=True))
    since_ns, until_ns = parse_time(asked.since), parse_time(asked.until)
    if since_ns is not None:
        found.append(events.c.received_ns >= since_ns)
    if until_ns is not None:
        found.append(events.c.received_ns < until_ns)
    return found
