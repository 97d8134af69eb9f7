"""Applying a state report in the store: to the unit's status, its history, and its held documents."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, delete, insert, select, update

from gprov.apps.server.store.rows import Origin, establish, note
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import documents, sessions, states, units
from gprov.apps.server.store.unit_rows import access_of, add_concern, is_proven
from gprov.domain.events import ProcessState
from gprov.domain.factory.documents import SUPERSEDED, Decision, DocumentStatus, HeldDocument, decide
from gprov.domain.factory.requests import StateReport
from gprov.domain.factory.states import SessionReports, UnitStatus, Verdict, advance, judge
from gprov.domain.factory.unit_access import may_report
from gprov.domain.platform.unidentified import is_unidentified

UNTRUSTED = "this session has not proven that it is the unit"
# State reports kept for one unit.
STATES_KEPT = 1000


def report_state(db: Connection, origin: Origin, report: StateReport, number: int | None, *, strict: bool) -> Verdict:
    """``number``: of the STATE event that reports it; None: reported directly. ``strict``: only sessions that have
    proven what they are change a unit (``gprov.domain.factory.unit_access``).

    Reports of machines that are not identified count: they get neither passwords nor QA documents."""
    access, state = access_of(db, origin.unit), report.state
    trusted = (
        not strict
        or is_unidentified(report.sender.serial)
        or may_report(access, origin.session, is_proven(db, origin), state)
    )
    verdict = apply_state(db, origin, state, number, trusted=trusted)
    if verdict is Verdict.UNPROVEN:
        note(db, origin, f"{state.value} changes nothing: {UNTRUSTED}")
        if access.holder and state is ProcessState.MFG_SUCCEEDED:
            add_concern(db, origin.unit, "another session reported success than the one that got its passwords")
    return verdict


def apply_state(
    db: Connection, origin: Origin, state: ProcessState, number: int | None, *, trusted: bool = True
) -> Verdict:
    """``number``: of the STATE event that reports it; None: reported directly. ``trusted``: as in ``judge``."""
    this = sessions.c.id == origin.session
    session = db.execute(select(sessions.c.direct, sessions.c.last_number).where(this)).one()
    current = db.execute(select(units.c.state_session).where(units.c.id == origin.unit)).scalar_one() == origin.session
    reports = SessionReports(_applied(db, origin.session), session.direct, session.last_number)
    verdict = judge(state, number, reports, current=current, trusted=trusted)
    if number is None:
        db.execute(update(sessions).where(this).values(direct=True))
    else:
        db.execute(update(sessions).where(this).values(last_number=max(session.last_number, number)))
    if verdict in (Verdict.APPLIED, Verdict.CONTRADICTED, Verdict.UNPROVEN):
        _remember(db, origin, state, verdict)
    if verdict is Verdict.APPLIED:
        _advance(db, origin, state)
        decide_documents(db, origin, state)
    return verdict


def decide_documents(db: Connection, origin: Origin, report: ProcessState | None) -> None:
    """Release or discard the unit's held or waiting documents that are due. ``report``: the state that was just
    applied; None if only time has passed."""
    provisioned = status_of(db, origin.unit).provisioned
    concern = access_of(db, origin.unit).concern
    for document in _held(db, origin.unit):
        waits = document.status == DocumentStatus.WAITING.value
        held = HeldDocument(document.hold_until_ns, document.session == origin.session, waits)
        decision = decide(held, origin.now_ns, report, provisioned, concern)
        if decision.status is not DocumentStatus.HELD:
            settle(db, origin, document.id, document.name, decision)


def status_of(db: Connection, unit: int) -> UnitStatus:
    columns = (units.c.state, units.c.provisioning, units.c.sealed, units.c.open_until_ns)
    row = db.execute(select(*columns).where(units.c.id == unit)).one()
    return UnitStatus(ProcessState(row.state), ProcessState(row.provisioning), row.sealed, row.open_until_ns)


def settle(db: Connection, origin: Origin, document: int, name: str, decision: Decision) -> None:
    decided = {"status": decision.status.value, "reason": decision.reason, "decided_ns": origin.now_ns}
    db.execute(update(documents).where(documents.c.id == document).values(**decided))
    note(db, origin, f"document {name} {decision.status.value}: {decision.reason}")


def supersede(db: Connection, origin: Origin, name: str) -> None:
    """Discard held and waiting documents of that name."""
    for document in _held(db, origin.unit):
        if document.name == name:
            settle(db, origin, document.id, document.name, Decision(DocumentStatus.DISCARDED, SUPERSEDED))


def _held(db: Connection, unit: int) -> Sequence[AnyRow]:
    columns = (documents.c.id, documents.c.name, documents.c.session, documents.c.hold_until_ns, documents.c.status)
    undecided = (DocumentStatus.HELD.value, DocumentStatus.WAITING.value)
    held = (documents.c.unit == unit, documents.c.status.in_(undecided))
    return db.execute(select(*columns).where(*held).order_by(documents.c.id)).all()


def _applied(db: Connection, session: int) -> tuple[ProcessState, ...]:
    applied = (states.c.session == session, states.c.verdict == Verdict.APPLIED.value)
    return tuple(map(ProcessState, db.execute(select(states.c.state).where(*applied).order_by(states.c.id)).scalars()))


def _remember(db: Connection, origin: Origin, state: ProcessState, verdict: Verdict) -> None:
    reported = {"state": state.value, "received_ns": origin.now_ns, "verdict": verdict.value}
    db.execute(insert(states).values(unit=origin.unit, session=origin.session, **reported))
    # Anyone can send reports that are not trusted: they push out no others.
    alike = (
        states.c.verdict == verdict.value if verdict is Verdict.UNPROVEN else states.c.verdict != Verdict.UNPROVEN.value
    )
    of_unit = and_(states.c.unit == origin.unit, alike)
    beyond = select(states.c.id).where(of_unit).order_by(states.c.id.desc()).offset(STATES_KEPT).limit(1)
    db.execute(delete(states).where(of_unit, states.c.id <= beyond.scalar_subquery()))


def _advance(db: Connection, origin: Origin, state: ProcessState) -> None:
    after = advance(status_of(db, origin.unit), state)
    if after.sealed:
        establish(db, origin.unit)
    db.execute(
        update(units)
        .where(units.c.id == origin.unit)
        .values(
            state=after.state.value,
            state_session=origin.session,
            state_ns=origin.now_ns,
            provisioning=after.provisioning.value,
            sealed=after.sealed,
            open_until_ns=after.open_until_ns,
        )
    )
