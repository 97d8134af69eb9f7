"""Rows that every report adds: its unit, its session, events, and notes of the server in the unit's log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from sqlalchemy import Connection, delete, func, insert, select, union_all, update

from gprov.apps.server.store.bulk import LogGrowth, add_rows, known_sessions, seen_units, take_places
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


def origin_of(db: Connection, sender: Sender, now_ns: int) -> Origin:
    """Find or add the rows, and set the time of the unit's last report."""
    return origins_of(db, [sender], now_ns)[0]


def origins_of(db: Connection, senders: Sequence[Sender], now_ns: int) -> list[Origin]:
    """``origin_of`` for several. A session is stored as its SHA-256: its name is a secret of 128 random bits."""
    of_serials = seen_units(db, (sender.serial for sender in senders), now_ns)
    keys = [(of_serials[sender.serial], sha256_of(sender.session.encode())) for sender in senders]
    known = known_sessions(db, keys)
    for unit, key in keys:
        if (unit, key) not in known:
            known[unit, key] = _new_session(db, unit, key)
    return [Origin(unit, known[unit, key], now_ns) for unit, key in keys]


def _new_session(db: Connection, unit: int, key: str) -> int:
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


def append(db: Connection, entries: Sequence[tuple[Origin, Sequence[LogEntry]]]) -> dict[int, int]:
    """Add to the logs of units, and remove their oldest events beyond those that are kept. Returns the sizes of the
    logs by unit, bytes."""
    encoded = [(origin, entry, _to_json(entry.body)) for origin, some in entries for entry in some]
    added: dict[int, LogGrowth] = {}
    for origin, _, body in encoded:
        before = added.get(origin.unit, LogGrowth(origin.unit, 0, 0))
        added[origin.unit] = LogGrowth(origin.unit, before.count + 1, before.size + len(body) + EVENT_BYTES)
    ends = take_places(db, list(added.values()))
    places = {unit: count(ends[unit].last - wanted.count + 1) for unit, wanted in added.items()}
    add_rows(
        db,
        events,
        [
            {
                "unit": origin.unit,
                "seq": next(places[origin.unit]),
                "session": None if entry.number is None else origin.session,
                "number": entry.number,
                "time_ns": entry.time_ns,
                "received_ns": origin.now_ns,
                "type": entry.kind,
                "body": body,
            }
            for origin, entry, body in encoded
        ],
    )
    for unit, end in ends.items():
        if end.last > EVENTS_KEPT:
            remove_events(db, unit, end.last - EVENTS_KEPT)
    return {unit: end.size for unit, end in ends.items()}


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
    append(db, [(origin, [LogEntry(None, origin.now_ns, SERVER_TYPE, {"text": text})])])
