"""Applying a state report in the store: to the unit's status, its history, and its held documents."""

from __future__ import annotations

import sqlite3

from gprov.apps.server.store.rows import Origin, note
from gprov.domain.events import ProcessState
from gprov.domain.factory.documents import SUPERSEDED, Decision, DocumentStatus, HeldDocument, decide
from gprov.domain.factory.states import SessionReports, UnitStatus, Verdict, advance, judge

# State reports kept for one unit.
STATES_KEPT = 1000


def apply_state(db: sqlite3.Connection, origin: Origin, state: ProcessState, number: int | None) -> Verdict:
    """``number``: of the STATE event that reports it; None: reported directly."""
    session = db.execute("SELECT direct, last_number FROM sessions WHERE id = ?", (origin.session,)).fetchone()
    unit = db.execute("SELECT state_session FROM units WHERE id = ?", (origin.unit,)).fetchone()
    reports = SessionReports(_applied(db, origin.session), bool(session["direct"]), session["last_number"])
    verdict = judge(state, number, reports, current=unit["state_session"] == origin.session)
    if number is None:
        db.execute("UPDATE sessions SET direct = 1 WHERE id = ?", (origin.session,))
    else:
        db.execute("UPDATE sessions SET last_number = max(last_number, ?) WHERE id = ?", (number, origin.session))
    if verdict in (Verdict.APPLIED, Verdict.CONTRADICTED):
        _remember(db, origin, state, verdict)
    if verdict is Verdict.APPLIED:
        _advance(db, origin, state)
        decide_documents(db, origin, state)
    return verdict


def decide_documents(db: sqlite3.Connection, origin: Origin, report: ProcessState | None) -> None:
    """Release or discard the unit's held documents that are due. ``report``: the state that was just applied; None if
    only time has passed."""
    provisioned = status_of(db, origin.unit).provisioned
    held = db.execute(
        "SELECT id, name, session, hold_until_ns FROM documents WHERE unit = ? AND status = ? ORDER BY id",
        (origin.unit, DocumentStatus.HELD.value),
    ).fetchall()
    for document in held:
        waiting = HeldDocument(document["hold_until_ns"], document["session"] == origin.session)
        decision = decide(waiting, origin.now_ns, report, provisioned)
        if decision.status is not DocumentStatus.HELD:
            settle(db, origin, document["id"], document["name"], decision)


def status_of(db: sqlite3.Connection, unit: int) -> UnitStatus:
    row = db.execute("SELECT state, provisioning, sealed, open_until_ns FROM units WHERE id = ?", (unit,)).fetchone()
    return UnitStatus(
        ProcessState(row["state"]), ProcessState(row["provisioning"]), bool(row["sealed"]), row["open_until_ns"]
    )


def settle(db: sqlite3.Connection, origin: Origin, document: int, name: str, decision: Decision) -> None:
    db.execute(
        "UPDATE documents SET status = ?, reason = ?, decided_ns = ? WHERE id = ?",
        (decision.status.value, decision.reason, origin.now_ns, document),
    )
    note(db, origin, f"document {name} {decision.status.value}: {decision.reason}")


def supersede(db: sqlite3.Connection, origin: Origin, name: str) -> None:
    """Discard held documents of that name."""
    older = db.execute(
        "SELECT id FROM documents WHERE unit = ? AND name = ? AND status = ?",
        (origin.unit, name, DocumentStatus.HELD.value),
    ).fetchall()
    for document in older:
        settle(db, origin, document["id"], name, Decision(DocumentStatus.DISCARDED, SUPERSEDED))


def _applied(db: sqlite3.Connection, session: int) -> tuple[ProcessState, ...]:
    rows = db.execute(
        "SELECT state FROM states WHERE session = ? AND verdict = ? ORDER BY id", (session, Verdict.APPLIED.value)
    )
    return tuple(ProcessState(row["state"]) for row in rows)


def _remember(db: sqlite3.Connection, origin: Origin, state: ProcessState, verdict: Verdict) -> None:
    db.execute(
        "INSERT INTO states (unit, session, state, received_ns, verdict) VALUES (?, ?, ?, ?, ?)",
        (origin.unit, origin.session, state.value, origin.now_ns, verdict.value),
    )
    db.execute(
        "DELETE FROM states WHERE unit = ?1 AND id <="
        " (SELECT id FROM states WHERE unit = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (origin.unit, STATES_KEPT),
    )


def _advance(db: sqlite3.Connection, origin: Origin, state: ProcessState) -> None:
    after = advance(status_of(db, origin.unit), state)
    db.execute(
        "UPDATE units SET state = ?, state_session = ?, state_ns = ?, provisioning = ?, sealed = ?, open_until_ns = ?"
        " WHERE id = ?",
        (
            after.state.value,
            origin.session,
            origin.now_ns,
            after.provisioning.value,
            after.sealed,
            after.open_until_ns,
            origin.unit,
        ),
    )
