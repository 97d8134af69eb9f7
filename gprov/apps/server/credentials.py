"""Passwords: made once for each unit, stored, handed out by the rules of
``gprov.domain.factory.credential_policy``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from gprov.apps.server.database import Database, open_existing
from gprov.apps.server.rows import Origin, note, origin_of
from gprov.apps.server.state_reports import status_of
from gprov.domain.errors import BadInput, Problem, RefusedByPolicy
from gprov.domain.factory.credential_policy import Inquiry, refusal
from gprov.domain.factory.passwords import make_credentials
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import CredentialRequest
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Randomness

# How long the passwords of a reopened unit can be fetched.
REOPENED_NS = 24 * 3600 * 10**9


class CredentialsRefused(RefusedByPolicy):
    """Credentials were asked for and not handed out."""

    def __init__(self, serial: str, why: Refusal) -> None:
        super().__init__(f"{serial}: {why.sentence}")
        self.why = why


class CredentialService:
    """``window_ns``: how long after MFG_STARTED passwords are handed out."""

    def __init__(self, database: Database, now: Callable[[], int], randomness: Randomness, window_ns: int) -> None:
        self._database = database
        self._now = now
        self._randomness = randomness
        self._window_ns = window_ns

    def hand_out(self, request: CredentialRequest, peer: str) -> Credentials:
        """The unit's passwords, stored before this returns. ``peer``: address of the client, for its log.
        Raises CredentialsRefused."""
        with self._database.write() as db:
            origin = origin_of(db, request.sender, self._now())
            why = refusal(status_of(db, origin.unit), _inquiry(db, origin), self._window_ns)
            if why is None:
                return self._open(db, origin, peer)
            note(db, origin, f"credentials refused to {peer}: {why.sentence}")
        raise CredentialsRefused(request.sender.serial, why)

    def _open(self, db: sqlite3.Connection, origin: Origin, peer: str) -> Credentials:
        db.execute(
            "INSERT INTO handouts (unit, session, time_ns, peer) VALUES (?, ?, ?, ?)",
            (origin.unit, origin.session, origin.now_ns, peer),
        )
        note(db, origin, f"credentials handed out to {peer}")
        return _stored(db, origin.unit) or self._make(db, origin)

    def _make(self, db: sqlite3.Connection, origin: Origin) -> Credentials:
        made = make_credentials(self._randomness.token)
        db.execute(
            "INSERT INTO credentials (unit, os, bios, ipmi, made_ns) VALUES (?, ?, ?, ?, ?)",
            (origin.unit, made.os.reveal(), made.bios.reveal(), made.ipmi.reveal(), origin.now_ns),
        )
        return made


def reopen(database: Database, serial: str, now_ns: int) -> None:
    """Let the next provisioning of a unit fetch its passwords, within a day, though one has succeeded before. Raises
    BadInput if the store has no such unit."""
    with database.write() as db:
        changed = db.execute(
            "UPDATE units SET open_until_ns = ? WHERE serial = ?", (now_ns + REOPENED_NS, serial)
        ).rowcount
        if not changed:
            raise BadInput("serial", [Problem("", f"no unit {serial!r} is known")])
        unit = db.execute("SELECT id FROM units WHERE serial = ?", (serial,)).fetchone()["id"]
        note(db, Origin(unit, 0, now_ns), "credentials reopened on the server's host")


def credentials_of(folder: str, serial: str) -> Credentials | None:
    """A unit's passwords, read on the server's host from its data folder (the server may be running); None if none
    were made. Raises DeviceMissing, DeviceFault (only the folder's owner can read them)."""
    with open_existing(folder) as db:
        unit = db.execute("SELECT id FROM units WHERE serial = ?", (serial,)).fetchone()
        return _stored(db, unit["id"]) if unit else None


def _stored(db: sqlite3.Connection, unit: int) -> Credentials | None:
    row = db.execute("SELECT os, bios, ipmi FROM credentials WHERE unit = ?", (unit,)).fetchone()
    return Credentials(Secret(row["os"]), Secret(row["bios"]), Secret(row["ipmi"])) if row else None


def _inquiry(db: sqlite3.Connection, origin: Origin) -> Inquiry:
    row = db.execute("SELECT state_ns, state_session FROM units WHERE id = ?", (origin.unit,)).fetchone()
    return Inquiry(origin.now_ns, row["state_ns"], row["state_session"] == origin.session)
