"""Applying a state report: the unit's state, its history, its seal, and what it decides for held documents."""

from __future__ import annotations

import sqlite3

from gprov.apps.server.rows import Origin, note
from gprov.domain.events import ProcessState
from gprov.domain.factory.documents import SUPERSEDED, Decision, Held, Hold, decide
from gprov.domain.factory.states import SessionReports, Standing, Verdict, advance, judge

# State reports kept for one unit.
STATES_KEPT = 1000


def apply_state(db: sqlite3.Connection, place: Origin, state: ProcessState, number: int | None) -> Verdict:
    """``number``: of the STATE event that says so; None: reported directly."""
    session = db.execute("SELECT direct, last_number FROM sessions WHERE id = ?", (place.session,)).fetchone()
    unit = db.execute("SELECT state_session FROM units WHERE id = ?", (place.unit,)).fetchone()
    reports = SessionReports(_applied(db, place.session), bool(session["direct"]), session["last_number"])
    verdict = judge(state, number, reports, current=unit["state_session"] == place.session)
    if number is None:
        db.execute("UPDATE sessions SET direct = 1 WHERE id = ?", (place.session,))
    else:
        db.execute("UPDATE sessions SET last_number = max(last_number, ?) WHERE id = ?", (number, place.session))
    if verdict in (Verdict.APPLIED, Verdict.CONTRADICTED):
        _remember(db, place, state, verdict)
    if verdict is Verdict.APPLIED:
        _advance(db, place, state)
        decide_documents(db, place, state)
    return verdict


def decide_documents(db: sqlite3.Connection, place: Origin, report: ProcessState | None) -> None:
    """Release or discard what a unit's last state, or time alone, decides."""
    provisioned = standing_of(db, place.unit).provisioned
    held = db.execute(
        "SELECT id, name, session, hold_until_ns FROM documents WHERE unit = ? AND status = ? ORDER BY id",
        (place.unit, Held.HELD.value),
    ).fetchall()
    for document in held:
        hold = Hold(document["hold_until_ns"], document["session"] == place.session)
        decision = decide(hold, place.now_ns, report, provisioned)
        if decision.status is not Held.HELD:
            settle(db, place, document["id"], document["name"], decision)


def standing_of(db: sqlite3.Connection, unit: int) -> Standing:
    row = db.execute("SELECT state, provisioning, sealed, open_until_ns FROM units WHERE id = ?", (unit,)).fetchone()
    return Standing(
        ProcessState(row["state"]), ProcessState(row["provisioning"]), bool(row["sealed"]), row["open_until_ns"]
    )


def settle(db: sqlite3.Connection, place: Origin, document: int, name: str, decision: Decision) -> None:
    db.execute(
        "UPDATE documents SET status = ?, reason = ?, decided_ns = ? WHERE id = ?",
        (decision.status.value, decision.reason, place.now_ns, document),
    )
    note(db, place, f"document {name} {decision.status.value}: {decision.reason}")


def supersede(db: sqlite3.Connection, place: Origin, name: str) -> None:
    """Discard held documents of that name."""
    older = db.execute(
        "SELECT id FROM documents WHERE unit = ? AND name = ? AND status = ?", (place.unit, name, Held.HELD.value)
    ).fetchall()
    for document in older:
        settle(db, place, document["id"], name, Decision(Held.DISCARDED, SUPERSEDED))


def _applied(db: sqlite3.Connection, session: int) -> tuple[ProcessState, ...]:
    rows = db.execute(
        "SELECT state FROM states WHERE session = ? AND verdict = ? ORDER BY id", (session, Verdict.APPLIED.value)
    )
    return tuple(ProcessState(row["state"]) for row in rows)


def _remember(db: sqlite3.Connection, place: Origin, state: ProcessState, verdict: Verdict) -> None:
    db.execute(
        "INSERT INTO states (unit, session, state, received_ns, verdict) VALUES (?, ?, ?, ?, ?)",
        (place.unit, place.session, state.value, place.now_ns, verdict.value),
    )
    db.execute(
        "DELETE FROM states WHERE unit = ?1 AND id <="
        " (SELECT id FROM states WHERE unit = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (place.unit, STATES_KEPT),
    )


def _advance(db: sqlite3.Connection, place: Origin, state: ProcessState) -> None:
    after = advance(standing_of(db, place.unit), state)
    db.execute(
        "UPDATE units SET state = ?, state_session = ?, state_ns = ?, provisioning = ?, sealed = ?, open_until_ns = ?"
        " WHERE id = ?",
        (
            after.state.value,
            place.session,
            place.now_ns,
            after.provisioning.value,
            after.sealed,
            after.open_until_ns,
            place.unit,
        ),
    )
