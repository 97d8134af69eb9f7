"""What units report, recorded. Every method is one durable transaction, and harmless to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable

from gprov.apps.server.database import Database
from gprov.apps.server.rows import Origin, append_event, note, origin, prune
from gprov.apps.server.standing import apply_state, decide_documents, supersede
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.events import StateChange
from gprov.domain.factory.documents import Held, file_name
from gprov.domain.factory.events import encode_body, event_type
from gprov.domain.factory.requests import CodeNameReport, Document, EventBatch, MacReport, StateReport
from gprov.domain.factory.states import Verdict

# Documents of one unit that may be on hold at once.
MOST_HELD = 20


class Store:
    """``now`` is the server's clock (UTC, ns); ``hold_ns`` how long a document waits for the first restore."""

    def __init__(self, database: Database, now: Callable[[], int], hold_ns: int) -> None:
        self._database = database
        self._now = now
        self._hold_ns = hold_ns

    def events(self, batch: EventBatch) -> int:
        """Append to the unit's log what it does not hold yet; returns how many that were."""
        with self._database.write() as db:
            place = origin(db, batch.sender, self._now())
            new = 0
            for event in batch.events:
                kind = event_type(event.body)
                if not append_event(db, place, event.number, event.time_ns, kind, encode_body(event.body)):
                    continue
                new += 1
                if isinstance(event.body, StateChange):
                    apply_state(db, place, event.body.state, event.number)
            prune(db, place.unit)
        return new

    def state(self, report: StateReport) -> None:
        """Raises RefusedByPolicy if the session reported a failure and now claims success. (Both are recorded.)"""
        with self._database.write() as db:
            place = origin(db, report.sender, self._now())
            verdict = apply_state(db, place, report.state, None)
            if verdict is Verdict.CONTRADICTED:
                note(db, place, f"refused {report.state.value}: this session has reported a failure")
        if verdict is Verdict.CONTRADICTED:
            raise RefusedByPolicy(f"{report.state.value} contradicts the failure that this session has reported")

    def code_name(self, report: CodeNameReport) -> None:
        with self._database.write() as db:
            place = origin(db, report.sender, self._now())
            db.execute("UPDATE units SET code_name = ? WHERE id = ?", (report.code_name, place.unit))

    def macs(self, report: MacReport) -> None:
        nics = [[nic.name, nic.mac] for nic in report.nics]
        with self._database.write() as db:
            place = origin(db, report.sender, self._now())
            db.execute(
                "UPDATE units SET nics = ?, bmc = ? WHERE id = ?",
                (json.dumps(nics), json.dumps(report.bmc), place.unit),
            )

    def document(self, document: Document) -> None:
        """Hold it. A newer one replaces a held one of the same name; the same again changes nothing.

        Raises RefusedByPolicy if too many are held."""
        with self._database.write() as db:
            place = origin(db, document.sender, self._now())
            same = db.execute(
                "SELECT 1 FROM documents WHERE unit = ? AND session = ? AND name = ? AND content = ?",
                (place.unit, place.session, document.name, document.content),
            ).fetchone()
            if same:
                return
            supersede(db, place, document.name)
            held = db.execute(
                "SELECT count(*) FROM documents WHERE unit = ? AND status = ?", (place.unit, Held.HELD.value)
            ).fetchone()[0]
            if held >= MOST_HELD:
                raise RefusedByPolicy(f"{held} documents of this unit are on hold already")
            db.execute(
                "INSERT INTO documents (unit, session, name, content, file, received_ns, hold_until_ns, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    place.unit,
                    place.session,
                    document.name,
                    document.content,
                    file_name(document.sender.serial, document.name),
                    place.now_ns,
                    place.now_ns + self._hold_ns,
                    Held.HELD.value,
                ),
            )
            minutes = self._hold_ns / 60e9
            note(db, place, f"document {document.name} held for {minutes:g} min until the first restore succeeds")

    def sweep(self) -> None:
        """Discard and record what was held too long."""
        now_ns = self._now()
        with self._database.read() as db:
            overdue = db.execute(
                "SELECT unit, max(session) AS session FROM documents WHERE status = 'held' AND hold_until_ns < ?"
                " GROUP BY unit",
                (now_ns,),
            ).fetchall()
        for row in overdue:
            with self._database.write() as db:
                decide_documents(db, Origin(row["unit"], row["session"], now_ns), None)
