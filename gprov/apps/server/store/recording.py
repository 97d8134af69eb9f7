"""Recording what units report. Every method is one durable transaction, and harmless to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from gprov.apps.server.store.bounds import cut_log, forget_discarded
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.delivered_documents import hold, is_stored, keep
from gprov.apps.server.store.grouping import GroupedWrites
from gprov.apps.server.store.rows import LogEntry, Origin, append, note, origin_of, unknown_numbers
from gprov.apps.server.store.state_reports import apply_state, decide_documents
from gprov.apps.server.store.tables import documents, macs, units
from gprov.apps.server.store.unit_rows import access_of, add_concern, is_proven
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.events import Event, ProcessState, StateChange
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.events import encode_body, event_type
from gprov.domain.factory.requests import CodeNameReport, Document, EventBatch, MacReport, Sender, StateReport
from gprov.domain.factory.states import Verdict
from gprov.domain.factory.unit_access import may_describe, may_report
from gprov.domain.mfg.difference import read_differences
from gprov.domain.platform.unidentified import is_unidentified

UNTRUSTED = "this session has not proven that it is the unit"


@dataclass(frozen=True, slots=True)
class Appended:
    """``count``: events that were new; ``states``: whether any of them reports a state."""

    count: int
    states: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRules:
    """``hold_ns``: how long a document waits for the first restore. ``log_bytes``: of one unit's log. ``strict``: only
    sessions that have proven what they are change a unit (``gprov.domain.factory.unit_access``)."""

    hold_ns: int
    log_bytes: int
    strict: bool = False


class Store:
    """``now``: the server's clock, UTC, ns."""

    def __init__(self, database: Database, grouped: GroupedWrites, now: Callable[[], int], rules: StoreRules) -> None:
        self._database = database
        self._grouped = grouped
        self._now = now
        self._hold_ns = rules.hold_ns
        self._log_bytes = rules.log_bytes
        self._strict = rules.strict

    def events(self, batch: EventBatch) -> Future[Appended]:
        """Append the events that the unit's log does not have yet. What is submitted meanwhile shares a transaction."""
        return self._grouped.submit(lambda db: self._append(db, batch))

    def _append(self, db: Connection, batch: EventBatch) -> Appended:
        origin = origin_of(db, batch.sender, self._now())
        new = tuple(_new(db, origin, batch))
        waiting: list[LogEntry] = []
        for event in new:
            waiting.append(_entry(event))
            if isinstance(event.body, StateChange):
                append(db, origin, waiting)  # notes about this state follow its event
                waiting.clear()
                self._apply(db, origin, batch.sender, event.body.state, event.number)
        if append(db, origin, waiting) > self._log_bytes:
            cut_log(db, origin.unit, self._log_bytes)
        return Appended(len(new), any(isinstance(event.body, StateChange) for event in new))

    def state(self, report: StateReport) -> None:
        """Raises RefusedByPolicy if the session reported a failure and now claims success, or may not report this
        state. (All is recorded.)"""
        with self._database.write() as db:
            origin = origin_of(db, report.sender, self._now())
            verdict = self._apply(db, origin, report.sender, report.state, None)
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

    def _apply(
        self, db: Connection, origin: Origin, sender: Sender, state: ProcessState, number: int | None
    ) -> Verdict:
        """Reports of machines that are not identified count: they get neither passwords nor QA documents."""
        access = access_of(db, origin.unit)
        trusted = (
            not self._strict
            or is_unidentified(sender.serial)
            or may_report(access, origin.session, is_proven(db, origin), state)
        )
        verdict = apply_state(db, origin, state, number, trusted=trusted)
        if verdict is Verdict.UNPROVEN:
            note(db, origin, f"{state.value} changes nothing: {UNTRUSTED}")
            if access.holder and state is ProcessState.MFG_SUCCEEDED:
                add_concern(db, origin.unit, "another session reported success than the one that got its passwords")
        return verdict

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


def _new(db: Connection, origin: Origin, batch: EventBatch) -> Iterator[Event]:
    """Events that the log does not have, each number once."""
    unknown = unknown_numbers(db, origin, [event.number for event in batch.events])
    for event in batch.events:
        if event.number in unknown:
            unknown.remove(event.number)
            yield event


def _entry(event: Event) -> LogEntry:
    return LogEntry(event.number, event.time_ns, event_type(event.body), encode_body(event.body))
