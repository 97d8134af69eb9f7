"""Statements about many rows at once.

PostgreSQL gets them in one message, as arrays or by COPY: an exchange of messages takes longer than its work on some
rows. SQLite, for which a statement is a call of a function, gets one for each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Table, bindparam, insert, select, text, update
from sqlalchemy.sql.dml import ReturningInsert

from gprov.apps.server.store.statements import upsert_of
from gprov.apps.server.store.tables import events, sessions, units
from gprov.domain.errors import InternalError


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of a session's events, from ``least`` to ``most``, both included. ``session``: row number."""

    session: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class LogGrowth:
    """By how much a unit's log gets longer. ``unit``: row number; ``count``: events; ``size``: bytes."""

    unit: int
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class LogEnd:
    """``last``: place of the last event; ``size``: of the log, bytes."""

    last: int
    size: int


# Built once: to build a statement takes longer than to execute it. "of_…" are parameters that name rows.
_SESSIONS = select(sessions.c.id, sessions.c.unit, sessions.c.key).where(
    sessions.c.unit.in_(bindparam("of_units", expanding=True)), sessions.c.key.in_(bindparam("of_keys", expanding=True))
)
_NUMBERS = select(events.c.number).where(
    events.c.session == bindparam("of_session"), events.c.number.between(bindparam("least"), bindparam("most"))
)
_NUMBERS_OF_ALL = text("""
    SELECT asked.session, events.number
    FROM unnest(CAST(:sessions AS bigint[]), CAST(:least AS bigint[]), CAST(:most AS bigint[]))
        AS asked(session, least, most)
    JOIN events ON events.session = asked.session AND events.number BETWEEN asked.least AND asked.most
""")
_TAKE = (
    update(units)
    .where(units.c.id == bindparam("of_unit"))
    .values(last_seq=units.c.last_seq + bindparam("count"), log_bytes=units.c.log_bytes + bindparam("size"))
    .returning(units.c.last_seq, units.c.log_bytes)
)
_TAKE_OF_ALL = text("""
    UPDATE units SET last_seq = last_seq + added.count, log_bytes = log_bytes + added.size
    FROM unnest(CAST(:units AS bigint[]), CAST(:counts AS bigint[]), CAST(:sizes AS bigint[]))
        AS added(unit, count, size)
    WHERE units.id = added.unit
    RETURNING units.id, units.last_seq, units.log_bytes
""")


def seen_units(db: Connection, serials: Iterable[str], now_ns: int) -> dict[str, int]:
    """Find or add units, and set the time of their last report. Returns row numbers by serial."""
    times = {"state_ns": now_ns, "first_seen_ns": now_ns, "last_seen_ns": now_ns}
    rows = [{"serial": serial, **times} for serial in sorted(set(serials))]
    return {row.serial: row.id for row in db.execute(_find_units(db.dialect.name), rows)}


@cache
def _find_units(dialect: str) -> ReturningInsert[Any]:
    added = upsert_of(dialect, units)
    return added.on_conflict_do_update(
        index_elements=[units.c.serial], set_={"last_seen_ns": added.excluded.last_seen_ns, "cleared": False}
    ).returning(units.c.id, units.c.serial)


def known_sessions(db: Connection, asked: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Row numbers of those sessions that there are. ``asked``: row number of the unit, and key."""
    wanted = sorted(set(asked))
    found = db.execute(_SESSIONS, {"of_units": [unit for unit, _ in wanted], "of_keys": [key for _, key in wanted]})
    return {(row.unit, row.key): row.id for row in found}


def known_numbers(db: Connection, asked: Sequence[NumberRange]) -> set[tuple[int, int]]:
    """Those within ``asked`` of which there is an event: session, number."""
    if db.dialect.name != "postgresql":
        return {
            (each.session, number)
            for each in asked
            for number in db.execute(
                _NUMBERS, {"of_session": each.session, "least": each.least, "most": each.most}
            ).scalars()
        }
    arrays = {
        "sessions": [each.session for each in asked],
        "least": [each.least for each in asked],
        "most": [each.most for each in asked],
    }
    return {(row.session, row.number) for row in db.execute(_NUMBERS_OF_ALL, arrays)}


def take_places(db: Connection, wanted: Sequence[LogGrowth]) -> dict[int, LogEnd]:
    """Make the logs longer. ``wanted``: one for each unit. Returns their ends then, by unit."""
    if db.dialect.name != "postgresql":
        each = ((one, {"of_unit": one.unit, "count": one.count, "size": one.size}) for one in wanted)
        ends = ((one.unit, db.execute(_TAKE, values).one()) for one, values in each)
        return {unit: LogEnd(end.last_seq, end.log_bytes) for unit, end in ends}
    arrays = {
        "units": [each.unit for each in wanted],
        "counts": [each.count for each in wanted],
        "sizes": [each.size for each in wanted],
    }
    return {row.id: LogEnd(row.last_seq, row.log_bytes) for row in db.execute(_TAKE_OF_ALL, arrays)}


def add_rows(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Many rows, with a value for each column."""
    if db.dialect.name != "postgresql":
        db.execute(_plain(table), list(rows))
        return
    names = table.columns.keys()
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), SQL(", ").join(map(Identifier, names)))
    with _driver(db).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


_plain = cache(insert)


def _driver(db: Connection) -> psycopg.Connection[Any]:
    """The connection of psycopg, which SQLAlchemy has no COPY for. It raises errors of its own: ``backends.ERRORS``."""
    found = db.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise InternalError("a PostgreSQL connection that is not one of psycopg")
    return found
