"""Recording what units report. Every method is one durable transaction, and harmless to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.delivered_documents import hold, is_stored, keep
from gprov.apps.server.store.rows import Origin, append_event, note, origin_of, prune
from gprov.apps.server.store.state_reports import apply_state, decide_documents
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.events import StateChange
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.events import encode_body, event_type
from gprov.domain.factory.requests import CodeNameReport, Document, EventBatch, MacReport, StateReport
from gprov.domain.factory.states import Verdict
from gprov.domain.mfg.difference import read_differences
from gprov.domain.platform.unidentified import is_unidentified


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
        """Hold a QA document, or keep a document of another kind. It replaces a held or kept one of the same name; the
        same again changes nothing.

        Raises RefusedByPolicy for a QA document of a machine that was not identified, or if there are too many;
        BadInput for a list of differences that is none."""
        if document.kind is DocumentKind.DIFFERENCES:
            read_differences(document.name, document.content)
        certifies = document.kind is DocumentKind.QA
        if certifies and is_unidentified(document.sender.serial):
            raise RefusedByPolicy(f"{document.sender.serial} is a machine that was not identified: no QA document")
        with self._database.write() as db:
            origin = origin_of(db, document.sender, self._now())
            if is_stored(db, origin, document):
                return
            if certifies:
                hold(db, origin, document, self._hold_ns)
            else:
                keep(db, origin, document)

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
