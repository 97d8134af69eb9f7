"""Rows that every report adds: its unit, its session, events, and notes of the server in the unit's log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from gprov.domain.erase.certificate import sha256_of
from gprov.domain.factory.requests import Sender
from gprov.domain.formats.json.value import Json

# Events kept for one unit; the oldest go first. A provisioning and its restore make a few thousand.
EVENTS_KEPT = 100_000
# Type of the server's own notes among a unit's events.
SERVER_TYPE = "SERVER"


@dataclass(frozen=True, slots=True)
class Origin:
    """Row numbers of the unit and session that a report came from, and when."""

    unit: int
    session: int
    now_ns: int


def octets(value: object) -> bytes:
    """Of a column of bytes. Empty, which no digest, seal or ciphertext is, if another program has put something else
    there."""
    return value if isinstance(value, bytes) else b""


def origin_of(db: sqlite3.Connection, sender: Sender, now_ns: int) -> Origin:
    """Find or add the rows, and set the time of the unit's last report. A session is stored as its SHA-256: its name is
    a secret of 128 random bits."""
    db.execute(
        "INSERT INTO units (serial, state_ns, first_seen_ns, last_seen_ns) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (serial) DO UPDATE SET last_seen_ns = excluded.last_seen_ns",
        (sender.serial, now_ns, now_ns, now_ns),
    )
    unit: int = db.execute("SELECT id FROM units WHERE serial = ?", (sender.serial,)).fetchone()["id"]
    key = sha256_of(sender.session.encode())
    db.execute(
        "INSERT INTO sessions (unit, key, number)"
        " SELECT ?1, ?2, 1 + coalesce(max(number), 0) FROM sessions WHERE unit = ?1"
        " ON CONFLICT (unit, key) DO NOTHING",
        (unit, key),
    )
    row = db.execute("SELECT id FROM sessions WHERE unit = ? AND key = ?", (unit, key)).fetchone()
    return Origin(unit, row["id"], now_ns)


def append_event(
    db: sqlite3.Connection,
    origin: Origin,
    number: int | None,
    time_ns: int,
    kind: str,
    body: Mapping[str, Json],
) -> bool:
    """Add to the unit's log. False: this session has sent that number before. ``number`` None: a note of the server."""
    session = None if number is None else origin.session
    if number is not None:
        known = db.execute("SELECT 1 FROM events WHERE session = ? AND number = ?", (session, number)).fetchone()
        if known:
            return False
    db.execute("UPDATE units SET last_seq = last_seq + 1 WHERE id = ?", (origin.unit,))
    db.execute(
        "INSERT INTO events SELECT id, last_seq, ?, ?, ?, ?, ?, ? FROM units WHERE id = ?",
        (session, number, time_ns, origin.now_ns, kind, json.dumps(body), origin.unit),
    )
    return True


def note(db: sqlite3.Connection, origin: Origin, text: str) -> None:
    """Add a note of the server to the unit's log."""
    append_event(db, origin, None, origin.now_ns, SERVER_TYPE, {"text": text})


def prune(db: sqlite3.Connection, unit: int) -> None:
    db.execute(
        "DELETE FROM events WHERE unit = ?1 AND seq <= (SELECT last_seq FROM units WHERE id = ?1) - ?2",
        (unit, EVENTS_KEPT),
    )
