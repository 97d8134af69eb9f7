"""Recording what units report. Every method is one durable transaction, and harmless to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable

from gprov.apps.server.database import Database
from gprov.apps.server.rows import Origin, append_event, note, origin_of, prune
from gprov.apps.server.state_reports import apply_state, decide_documents, supersede
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.events import StateChange
from gprov.domain.factory.documents import DocumentStatus, file_name
from gprov.domain.factory.events import encode_body, event_type
from gprov.domain.factory.requests import CodeNameReport, Document, EventBatch, MacReport, StateReport
from gprov.domain.factory.states import Verdict

# Documents of one unit that may be on hold at once.
MAX_HELD = 20


class Store:
    """``now``: the server's clock, UTC, ns. ``hold_ns``: how long a document waits for the first restore."""

    def __init__(self, database: Database, now: Callable[[], int], hold_ns: int) -> None:
        self._database = database
        self._now = now
        self._hold_ns = hold_ns

    def events(self, batch: EventBatch) -> int:
        """Append the events that the unit's log does not have yet, and return how many."""
        with self._database.write() as db:
            origin = origin_of(db, batch.sender, self._now())
            new = 0
            for event in batch.events:
                kind = event_type(event.body)
                if not append_event(db, origin, event.number, event.time_ns, kind, encode_body(event.body)):
                    continue
                new += 1
                if isinstance(event.body, StateChange):
                    apply_state(db, origin, event.body.state, event.number)
            prune(db, origin.unit)
        return new

    def state(self, report: StateReport) -> None:
        """Raises RefusedByPolicy if the session reported a failure and now claims success. (Both are recorded.)"""
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            verdict = apply_state(db, origin, report.state, None)
            if verdict is Verdict.CONTRADICTED:
                note(db, origin, f"refused {report.state.value}: this session has reported a failure")
        if verdict is Verdict.CONTRADICTED:
            raise RefusedByPolicy(f"{report.state.value} contradicts the failure that this session has reported")

    def code_name(self, report: CodeNameReport) -> None:
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            db.execute("UPDATE units SET code_name = ? WHERE id = ?", (report.code_name, origin.unit))

    def macs(self, report: MacReport) -> None:
        nics = [[nic.name, nic.mac] for nic in report.nics]
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            db.execute(
                "UPDATE units SET nics = ?, bmc = ? WHERE id = ?",
                (json.dumps(nics), json.dumps(report.bmc), origin.unit),
            )

    def document(self, document: Document) -> None:
        """Hold a document. It replaces a held one of the same name; the same again changes nothing.

        Raises RefusedByPolicy if too many are held."""
        with self._database.write() as db:
            origin = origin_of(db, document.sender, self._now())
            same = db.execute(
                "SELECT 1 FROM documents WHERE unit = ? AND session = ? AND name = ? AND content = ?",
                (origin.unit, origin.session, document.name, document.content),
            ).fetchone()
            if same:
                return
            supersede(db, origin, document.name)
            held = db.execute(
                "SELECT count(*) FROM documents WHERE unit = ? AND status = ?", (origin.unit, DocumentStatus.HELD.value)
            ).fetchone()[0]
            if held >= MAX_HELD:
                raise RefusedByPolicy(f"{held} documents of this unit are on hold already")
            db.execute(
                "INSERT INTO documents (unit, session, name, content, file, received_ns, hold_until_ns, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    origin.unit,
                    origin.session,
                    document.name,
                    document.content,
                    file_name(document.sender.serial, document.name),
                    origin.now_ns,
                    origin.now_ns + self._hold_ns,
                    DocumentStatus.HELD.value,
                ),
            )
            minutes = self._hold_ns / 60e9
            note(db, origin, f"document {document.name} held for {minutes:g} min until the first restore succeeds")

    def sweep(self) -> None:
        """Discard documents that were held too long."""
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
