"""Questions to the store, for the API and for tools."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from gprov.apps.server.secrets.password_store import rotations
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.records import (
    CredentialRecord,
    DifferenceEntry,
    DocumentEntry,
    EventEntry,
    KeptDocument,
    StateEntry,
    UnitDetail,
    UnitSummary,
)
from gprov.apps.server.store.rows import SERVER_TYPE
from gprov.domain.errors import Problem
from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.events import decode_body, describe
from gprov.domain.factory.requests import NamedMac
from gprov.domain.factory.states import Verdict
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.difference import read_differences


class Queries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def units(self, limit: int, offset: int) -> tuple[UnitSummary, ...]:
        """Those with the latest reports first."""
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
                summary=_summary(row),
                nics=tuple(NamedMac(name, mac) for name, mac in json.loads(row["nics"])),
                bmc=tuple(json.loads(row["bmc"])),
                states=_states(db, row["id"]),
                documents=_documents(db, row["id"]),
                differences=_differences(db, row["id"]),
                credentials=_credentials(db, row),
            )

    def kept_document(self, serial: str, name: str) -> KeptDocument | None:
        """None: no such unit or document, or it is a QA document, which only its release makes public."""
        with self._database.read() as db:
            row = db.execute(
                "SELECT name, kind, content FROM documents WHERE unit = (SELECT id FROM units WHERE serial = ?)"
                " AND name = ? AND status = ?",
                (serial, name, DocumentStatus.KEPT.value),
            ).fetchone()
        return KeptDocument(row["name"], DocumentKind(row["kind"]), row["content"]) if row else None

    def sealed_unit(self, serials: Sequence[str], mac: str, now_ns: int) -> str | None:
        """Serial number of the unit that this machine is, if its passwords are sealed: provisioning it again would wipe
        it and then fail. It is identified by one of ``serials``, or else by a MAC that it reported (lower case; "" for
        none). None: not sealed, reopened, or not in the store."""
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
    """The one with the latest report, if several reported it."""
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM units WHERE EXISTS (SELECT 1 FROM json_each(nics) WHERE json_extract(value, '$[1]') = ?)"
        " ORDER BY last_seen_ns DESC, id DESC LIMIT 1",
        (mac,),
    ).fetchone()
    return found


def _summary(row: sqlite3.Row) -> UnitSummary:
    return UnitSummary(
        serial=row["serial"],
        code_name=row["code_name"],
        state=ProcessState(row["state"]),
        state_ns=row["state_ns"],
        first_seen_ns=row["first_seen_ns"],
        last_seen_ns=row["last_seen_ns"],
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
            name=row["name"],
            kind=DocumentKind(row["kind"]),
            status=DocumentStatus(row["status"]),
            received_ns=row["received_ns"],
            hold_until_ns=row["hold_until_ns"],
            decided_ns=row["decided_ns"],
            reason=row["reason"],
            file=row["file"],
            written=bool(row["written"]),
        )
        for row in rows
    )


def _differences(db: sqlite3.Connection, unit: int) -> tuple[DifferenceEntry, ...]:
    """Of the document that was received last. The store has checked its content."""
    row = db.execute(
        "SELECT content FROM documents WHERE unit = ? AND kind = ? ORDER BY received_ns DESC, id DESC LIMIT 1",
        (unit, DocumentKind.DIFFERENCES.value),
    ).fetchone()
    found = read_differences(DocumentKind.DIFFERENCES.value, row["content"]) if row else ()
    return tuple(DifferenceEntry(one.place, one.required, one.detected) for one in found)


def _credentials(db: sqlite3.Connection, unit: sqlite3.Row) -> CredentialRecord:
    made = db.execute("SELECT 1 FROM passwords WHERE unit = ?", (unit["id"],)).fetchone()
    count: int = db.execute("SELECT count(*) FROM handouts WHERE unit = ?", (unit["id"],)).fetchone()[0]
    last = db.execute(
        "SELECT time_ns, peer FROM handouts WHERE unit = ? ORDER BY id DESC LIMIT 1", (unit["id"],)
    ).fetchone()
    return CredentialRecord(
        made=made is not None,
        handed_out=count,
        last_ns=last["time_ns"] if last else None,
        last_peer=last["peer"] if last else "",
        sealed=bool(unit["sealed"]),
        rotating=", ".join(kind.value for kind in rotations(db, unit["id"])),
    )


def _event(row: sqlite3.Row) -> EventEntry:
    fields: dict[str, Json] = json.loads(row["body"])
    return EventEntry(
        seq=row["seq"],
        session=row["session_number"],
        number=row["number"],
        time_ns=row["time_ns"],
        received_ns=row["received_ns"],
        type=row["type"],
        text=_text(row["type"], fields),
        fields=fields,
    )


def _text(kind: str, fields: dict[str, Json]) -> str:
    if kind == SERVER_TYPE:
        return str(fields["text"])
    problems: list[Problem] = []
    return describe(decode_body(JsonObject({"type": kind, **fields}, "$", problems)))
