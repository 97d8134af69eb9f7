"""Rows that every report adds: its unit, its session, events, and notes of the server in the unit's log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, union_all, update
from sqlalchemy.sql.dml import ReturningInsert

from gprov.apps.server.store.statements import add_rows, upsert_of
from gprov.apps.server.store.tables import documents, events, handouts, sessions, states, units
from gprov.domain.erase.certificate import sha256_of
from gprov.domain.factory.requests import Sender
from gprov.domain.formats.json.value import Json

# Events kept for one unit; the oldest go first. A provisioning and its restore make a few thousand.
EVENTS_KEPT = 100_000
# What an event takes besides its body.
EVENT_BYTES = 100
# Sessions of one unit that are kept in any case; of twice as many, those without reports are removed.
_SESSIONS_KEPT = 200
_SESSIONS_OF_UNIT = (units.c.state_session, units.c.provisioner, units.c.holder)
# Type of the server's own notes among a unit's events.
SERVER_TYPE = "SERVER"
_to_json = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class Origin:
    """Row numbers of the unit and session that a report came from, and when."""

    unit: int
    session: int
    now_ns: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event of a unit's log. ``number``: within the session; None for a note of the server."""

    number: int | None
    time_ns: int
    kind: str
    body: Mapping[str, Json]


def octets(value: object) -> bytes:
    """Of a column of bytes. Empty, which no digest, seal or ciphertext is, if another program has put something else
    there."""
    return value if isinstance(value, bytes) else b""


# Built once: to build a statement takes longer than to execute it. "of_…" are parameters that name rows.
_KNOWN_SESSION = select(sessions.c.id).where(
    sessions.c.unit == bindparam("of_unit"), sessions.c.key == bindparam("of_key")
)
_KNOWN_NUMBERS = select(events.c.number).where(
    events.c.session == bindparam("of_session"), events.c.number.between(bindparam("least"), bindparam("most"))
)
_TAKE_PLACES = (
    update(units)
    .where(units.c.id == bindparam("of_unit"))
    .values(last_seq=units.c.last_seq + bindparam("count"), log_bytes=units.c.log_bytes + bindparam("size"))
    .returning(units.c.last_seq, units.c.log_bytes)
)


@cache
def _find_unit(dialect: str) -> ReturningInsert[Any]:
    added = upsert_of(dialect, units)
    return added.on_conflict_do_update(
        index_elements=[units.c.serial], set_={"last_seen_ns": added.excluded.last_seen_ns, "cleared": False}
    ).returning(units.c.id)


def origin_of(db: Connection, sender: Sender, now_ns: int) -> Origin:
    """Find or add the rows, and set the time of the unit's last report. A session is stored as its SHA-256: its name is
    a secret of 128 random bits."""
    seen = {"serial": sender.serial, "state_ns": now_ns, "first_seen_ns": now_ns, "last_seen_ns": now_ns}
    unit: int = db.execute(_find_unit(db.dialect.name), seen).scalar_one()
    return Origin(unit, _session(db, unit, sha256_of(sender.session.encode())), now_ns)


def _session(db: Connection, unit: int, key: str) -> int:
    known: int | None = db.execute(_KNOWN_SESSION, {"of_unit": unit, "of_key": key}).scalar_one_or_none()
    if known is not None:
        return known
    number = select(1 + func.coalesce(func.max(sessions.c.number), 0)).where(sessions.c.unit == unit).scalar_subquery()
    new = insert(sessions).values(unit=unit, key=key, number=number).returning(sessions.c.id, sessions.c.number)
    added = db.execute(new).one()
    if added.number % _SESSIONS_KEPT == 0:
        _forget_sessions(db, unit, added.number - _SESSIONS_KEPT)
    return int(added.id)


def _forget_sessions(db: Connection, unit: int, through: int) -> None:
    """Those of whose reports nothing is kept, up to that number."""
    kept = union_all(
        select(events.c.session).where(events.c.unit == unit, events.c.session.is_not(None)),
        *(select(table.c.session).where(table.c.unit == unit) for table in (states, documents, handouts)),
        *(select(column).where(units.c.id == unit, column.is_not(None)) for column in _SESSIONS_OF_UNIT),
    )
    old = sessions.c.unit == unit, sessions.c.number <= through
    db.execute(delete(sessions).where(*old, sessions.c.id.not_in(kept)))


def unknown_numbers(db: Connection, origin: Origin, numbers: Sequence[int]) -> set[int]:
    """Those of ``numbers`` that the session has not sent before."""
    if not numbers:
        return set()
    within = {"of_session": origin.session, "least": min(numbers), "most": max(numbers)}
    return set(numbers).difference(db.execute(_KNOWN_NUMBERS, within).scalars())


def append(db: Connection, origin: Origin, entries: Sequence[LogEntry]) -> int:
    """Add to the unit's log, and remove its oldest events beyond those that are kept. Returns the size of the log; 0 if
    nothing was added. Sizes are bytes."""
    if not entries:
        return 0
    bodies = [_to_json(entry.body) for entry in entries]
    size = sum(map(len, bodies)) + len(entries) * EVENT_BYTES
    taken = db.execute(_TAKE_PLACES, {"of_unit": origin.unit, "count": len(entries), "size": size}).one()
    last: int = taken.last_seq
    add_rows(
        db,
        events,
        [
            {
                "unit": origin.unit,
                "seq": seq,
                "session": None if entry.number is None else origin.session,
                "number": entry.number,
                "time_ns": entry.time_ns,
                "received_ns": origin.now_ns,
                "type": entry.kind,
                "body": body,
            }
            for seq, (entry, body) in enumerate(zip(entries, bodies, strict=True), last - len(entries) + 1)
        ],
    )
    if last > EVENTS_KEPT:
        remove_events(db, origin.unit, last - EVENTS_KEPT)
    return int(taken.log_bytes)


def remove_events(db: Connection, unit: int, through: int) -> None:
    """The oldest of the unit's log, up to that ``seq``."""
    oldest = events.c.unit == unit, events.c.seq <= through
    removed = db.execute(delete(events).where(*oldest).returning(func.length(events.c.body))).scalars().all()
    size = sum(removed) + len(removed) * EVENT_BYTES
    db.execute(update(units).where(units.c.id == unit).values(log_bytes=units.c.log_bytes - size))


def establish(db: Connection, unit: int) -> None:
    """It is not made up, or not to be told from one that is not: it stays in the store."""
    db.execute(update(units).where(units.c.id == unit, units.c.candidate).values(candidate=False))


def note(db: Connection, origin: Origin, text: str) -> None:
    """Add a note of the server to the unit's log."""
    append(db, origin, [LogEntry(None, origin.now_ns, SERVER_TYPE, {"text": text})])
