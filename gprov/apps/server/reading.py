"""What the store knows, as values for pages and tools. Passwords and session keys are in none of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from gprov.apps.server.database import Database
from gprov.apps.server.rows import SERVER_TYPE
from gprov.domain.errors import Problem
from gprov.domain.events import ProcessState
from gprov.domain.factory.documents import Held
from gprov.domain.factory.events import decode_body, describe
from gprov.domain.factory.requests import NamedMac
from gprov.domain.factory.states import Verdict
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """Times: UTC, ns, of the server. ``state_ns``: when it was reported."""

    serial: str
    code_name: str
    state: ProcessState
    state_ns: int
    first_seen_ns: int
    last_seen_ns: int


@dataclass(frozen=True, slots=True)
class StateEntry:
    """``session``: the how-manieth of this unit."""

    state: ProcessState
    received_ns: int
    session: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """``file``: its name in the documents folder, once ``written``."""

    name: str
    status: Held
    received_ns: int
    hold_until_ns: int
    decided_ns: int | None
    reason: str
    file: str
    written: bool


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """That passwords were handed out. ``last_ns`` None: never."""

    made: bool
    handed_out: int
    last_ns: int | None
    last_peer: str
    sealed: bool


@dataclass(frozen=True, slots=True)
class UnitDetail:
    summary: UnitSummary
    nics: tuple[NamedMac, ...]
    bmc: tuple[str, ...]
    states: tuple[StateEntry, ...]
    documents: tuple[DocumentEntry, ...]
    credentials: CredentialRecord


@dataclass(frozen=True, slots=True)
class EventEntry:
    """``seq``: place in the unit's log. ``session`` and ``number`` are None for the server's own notes. ``text``: one
    line for a person; ``fields``: what the type adds, as the unit sent it."""

    seq: int
    session: int | None
    number: int | None
    time_ns: int
    received_ns: int
    type: str
    text: str
    fields: dict[str, Json]


class Reading:
    def __init__(self, database: Database) -> None:
        self._database = database

    def units(self, limit: int, offset: int) -> tuple[UnitSummary, ...]:
        """Most recently heard of first."""
        with self._database.read() as db:
            rows = db.execute(
                "SELECT * FROM units ORDER BY last_seen_ns DESC, id DESC LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
        return tuple(_summary(row) for row in rows)

    def unit(self, serial: str) -> UnitDetail | None:
        with self._database.read() as db:
            row = db.execute("SELECT * FROM units WHERE serial = ?", (serial,)).fetchone()
            if row is None:
                return None
            return UnitDetail(
                _summary(row),
                tuple(NamedMac(name, mac) for name, mac in json.loads(row["nics"])),
                tuple(json.loads(row["bmc"])),
                _states(db, row["id"]),
                _documents(db, row["id"]),
                _credentials(db, row),
            )

    def sealed_unit(self, serials: Sequence[str], mac: str, now_ns: int) -> str | None:
        """Serial of the unit that this machine is, if its passwords are sealed: provisioning it again would wipe it and
        then fail. Known by one of these serials, or else by a MAC that it reported (lower case; "" for none). None: not
        sealed, reopened, or unknown."""
        with self._database.read() as db:
            row = next((found for serial in serials if (found := _of_serial(db, serial)) is not None), None)
            row = row or (_of_mac(db, mac) if mac else None)
        if row is None or not row["sealed"] or now_ns <= row["open_until_ns"]:
            return None
        return str(row["serial"])

    def events(self, serial: str, after: int, limit: int) -> tuple[EventEntry, ...] | None:
        """The unit's log from beyond ``after``, oldest first. None: no such unit."""
        with self._database.read() as db:
            unit = db.execute("SELECT id FROM units WHERE serial = ?", (serial,)).fetchone()
            if unit is None:
                return None
            rows = db.execute(
                "SELECT events.*, sessions.number AS session_number FROM events"
                " LEFT JOIN sessions ON sessions.id = events.session"
                " WHERE events.unit = ? AND seq > ? ORDER BY seq LIMIT ?",
                (unit["id"], after, limit),
            ).fetchall()
        return tuple(_event(row) for row in rows)


def _of_serial(db: sqlite3.Connection, serial: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute("SELECT * FROM units WHERE serial = ?", (serial,)).fetchone()
    return found


def _of_mac(db: sqlite3.Connection, mac: str) -> sqlite3.Row | None:
    """The one heard of last, if several reported it."""
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM units WHERE EXISTS (SELECT 1 FROM json_each(nics) WHERE json_extract(value, '$[1]') = ?)"
        " ORDER BY last_seen_ns DESC, id DESC LIMIT 1",
        (mac,),
    ).fetchone()
    return found


def _summary(row: sqlite3.Row) -> UnitSummary:
    return UnitSummary(
        row["serial"],
        row["code_name"],
        ProcessState(row["state"]),
        row["state_ns"],
        row["first_seen_ns"],
        row["last_seen_ns"],
    )


def _states(db: sqlite3.Connection, unit: int) -> tuple[StateEntry, ...]:
    rows = db.execute(
        "SELECT state, received_ns, number, verdict FROM states JOIN sessions ON sessions.id = states.session"
        " WHERE states.unit = ? ORDER BY states.id",
        (unit,),
    )
    return tuple(
        StateEntry(ProcessState(row["state"]), row["received_ns"], row["number"], Verdict(row["verdict"]))
        for row in rows
    )


def _documents(db: sqlite3.Connection, unit: int) -> tuple[DocumentEntry, ...]:
    rows = db.execute("SELECT * FROM documents WHERE unit = ? ORDER BY id", (unit,))
    return tuple(
        DocumentEntry(
            row["name"],
            Held(row["status"]),
            row["received_ns"],
            row["hold_until_ns"],
            row["decided_ns"],
            row["reason"],
            row["file"],
            bool(row["written"]),
        )
        for row in rows
    )


def _credentials(db: sqlite3.Connection, unit: sqlite3.Row) -> CredentialRecord:
    made = db.execute("SELECT 1 FROM credentials WHERE unit = ?", (unit["id"],)).fetchone()
    count: int = db.execute("SELECT count(*) FROM handouts WHERE unit = ?", (unit["id"],)).fetchone()[0]
    last = db.execute(
        "SELECT time_ns, peer FROM handouts WHERE unit = ? ORDER BY id DESC LIMIT 1", (unit["id"],)
    ).fetchone()
    return CredentialRecord(
        made is not None,
        count,
        last["time_ns"] if last else None,
        last["peer"] if last else "",
        bool(unit["sealed"]),
    )


def _event(row: sqlite3.Row) -> EventEntry:
    fields: dict[str, Json] = json.loads(row["body"])
    return EventEntry(
        row["seq"],
        row["session_number"],
        row["number"],
        row["time_ns"],
        row["received_ns"],
        row["type"],
        _text(row["type"], fields),
        fields,
    )


def _text(kind: str, fields: dict[str, Json]) -> str:
    if kind == SERVER_TYPE:
        return str(fields["text"])
    problems: list[Problem] = []
    return describe(decode_body(JsonObject({"type": kind, **fields}, "$", problems)))
