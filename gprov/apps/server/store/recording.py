"""Recording what units report. Every method is one durable transaction, and harmless to repeat."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy import Connection, delete, func, insert, select, update

from gprov.apps.server.store.bounds import forget_discarded
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.delivered_documents import hold, is_stored, keep
from gprov.apps.server.store.grouping import GroupedWrites
from gprov.apps.server.store.rows import Origin, note, origin_of
from gprov.apps.server.store.state_reports import UNTRUSTED, decide_documents, report_state
from gprov.apps.server.store.tables import documents, macs, units
from gprov.apps.server.store.unit_logs import Appended
from gprov.apps.server.store.unit_rows import access_of
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.requests import CodeNameReport, Document, EventBatch, MacReport, Sender, StateReport
from gprov.domain.factory.states import Verdict
from gprov.domain.factory.unit_access import may_describe
from gprov.domain.mfg.difference import read_differences
from gprov.domain.platform.unidentified import is_unidentified


class Store:
    """``now``: the server's clock, UTC, ns."""

    def __init__(
        self,
        database: Database,
        logs: GroupedWrites[EventBatch, Appended],
        now: Callable[[], int],
        hold_ns: int,
        *,
        strict: bool,
    ) -> None:
        """``logs``: writes to units' logs. ``hold_ns``: how long a document waits for the first restore. ``strict``:
        only sessions that have proven what they are change a unit (``gprov.domain.factory.unit_access``)."""
        self._database = database
        self._logs = logs
        self._now = now
        self._hold_ns = hold_ns
        self._strict = strict

    def events(self, batch: EventBatch) -> Future[Appended]:
        """Append the events that the unit's log does not have yet. What is submitted meanwhile shares a transaction."""
        return self._logs.submit(batch)

    def state(self, report: StateReport) -> None:
        """Raises RefusedByPolicy if the session reported a failure and now claims success, or may not report this
        state. (All is recorded.)"""
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            verdict = report_state(db, origin, report, None, strict=self._strict)
            if verdict is Verdict.CONTRADICTED:
                note(db, origin, f"refused {report.state.value}: this session has reported a failure")
        if verdict is Verdict.CONTRADICTED:
            raise RefusedByPolicy(f"{report.state.value} contradicts the failure that this session has reported")
        if verdict is Verdict.UNPROVEN:
            raise RefusedByPolicy(f"{report.state.value}: {UNTRUSTED}")

    def code_name(self, report: CodeNameReport) -> None:
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            trusted = self._may_describe(db, origin, report.sender, "code name")
            if trusted:
                db.execute(update(units).where(units.c.id == origin.unit).values(code_name=report.code_name))
        _require(trusted)

    def macs(self, report: MacReport) -> None:
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            trusted = self._may_describe(db, origin, report.sender, "MACs")
            if trusted:
                _replace_macs(db, origin.unit, report)
        _require(trusted)

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
            trusted = self._may_describe(db, origin, document.sender, f"document {document.name}")
            if is_stored(db, origin, document):
                return
            if trusted and certifies:
                hold(db, origin, document, self._hold_ns)
            elif trusted:
                keep(db, origin, document)
            forget_discarded(db, origin.unit)
        _require(trusted)

    def _may_describe(self, db: Connection, origin: Origin, sender: Sender, what: str) -> bool:
        access = access_of(db, origin.unit)
        allowed = not self._strict or is_unidentified(sender.serial) or may_describe(access, origin.session)
        if not allowed:
            note(db, origin, f"refused {what}: {UNTRUSTED}")
        return allowed

    def sweep(self) -> None:
        """Discard documents that were held too long."""
        now_ns = self._now()
        with self._database.read() as db:
            overdue = db.execute(
                select(documents.c.unit, func.max(documents.c.session).label("session"))
                .where(documents.c.status == DocumentStatus.HELD.value, documents.c.hold_until_ns < now_ns)
                .group_by(documents.c.unit)
            ).all()
        for row in overdue:
            with self._database.write() as db:
                decide_documents(db, Origin(row.unit, row.session, now_ns), None)


def _require(trusted: bool) -> None:
    """Raises RefusedByPolicy; what was noted about it is stored by then."""
    if not trusted:
        raise RefusedByPolicy(UNTRUSTED)


def _replace_macs(db: Connection, unit: int, report: MacReport) -> None:
    db.execute(delete(macs).where(macs.c.unit == unit))
    found = [
        *({"bmc": False, "position": at, "name": nic.name, "mac": nic.mac} for at, nic in enumerate(report.nics)),
        *({"bmc": True, "position": at, "name": "", "mac": mac} for at, mac in enumerate(report.bmc)),
    ]
    if found:
        db.execute(insert(macs).values(unit=unit), found)
