"""Passwords: made once for each unit, stored, handed out under ``gprov.domain.factory.handout``."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable

from typing_extensions import override

from gprov.apps.server.database import Database, open_existing
from gprov.apps.server.rows import Origin, note, origin
from gprov.domain.errors import BadInput, Problem, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.factory.handout import Provisioning, refusal
from gprov.domain.factory.passwords import make_credentials
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import CredentialRequest
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Randomness

# How long a reopened unit stays open if it does not come.
REOPENED_NS = 24 * 3600 * 10**9


class SystemRandomness(Randomness):
    @override
    def token(self, size: int) -> bytes:
        return secrets.token_bytes(size)


class Withheld(RefusedByPolicy):
    """Credentials were asked for and not handed out."""

    def __init__(self, serial: str, why: Refusal) -> None:
        super().__init__(f"{serial}: {why.sentence}")
        self.why = why


class Vault:
    """``window_ns``: how long after MFG_STARTED passwords are handed out."""

    def __init__(self, database: Database, now: Callable[[], int], randomness: Randomness, window_ns: int) -> None:
        self._database = database
        self._now = now
        self._randomness = randomness
        self._window_ns = window_ns

    def hand_out(self, request: CredentialRequest, peer: str) -> Credentials:
        """The unit's passwords; durably stored before this returns. ``peer``: the address that asks, for the record.
        Raises Withheld."""
        with self._database.write() as db:
            place = origin(db, request.sender, self._now())
            why = refusal(_provisioning(db, place), place.now_ns, self._window_ns)
            if why is not None:
                note(db, place, f"credentials refused to {peer}: {why.sentence}")
                found = None
            else:
                found = _stored(db, place.unit) or self._make(db, place)
                db.execute(
                    "INSERT INTO handouts (unit, session, time_ns, peer) VALUES (?, ?, ?, ?)",
                    (place.unit, place.session, place.now_ns, peer),
                )
                note(db, place, f"credentials handed out to {peer}")
        if why is not None or found is None:
            raise Withheld(request.sender.serial, why or Refusal.NOT_STARTED)
        return found

    def _make(self, db: sqlite3.Connection, place: Origin) -> Credentials:
        made = make_credentials(self._randomness.token)
        db.execute(
            "INSERT INTO credentials (unit, os, bios, ipmi, made_ns) VALUES (?, ?, ?, ?, ?)",
            (place.unit, made.os.reveal(), made.bios.reveal(), made.ipmi.reveal(), place.now_ns),
        )
        return made


def reopen(database: Database, serial: str, now_ns: int) -> None:
    """Let a unit that was provisioned before have its passwords once more, within a day. Raises BadInput if no such
    unit is known."""
    with database.write() as db:
        changed = db.execute(
            "UPDATE units SET open_until_ns = ? WHERE serial = ?", (now_ns + REOPENED_NS, serial)
        ).rowcount
        if not changed:
            raise BadInput("serial", [Problem("", f"no unit {serial!r} is known")])
        unit = db.execute("SELECT id FROM units WHERE serial = ?", (serial,)).fetchone()["id"]
        note(db, Origin(unit, 0, now_ns), "credentials reopened on the server's host")


def credentials_of(folder: str, serial: str) -> Credentials | None:
    """A unit's passwords, read on the server's host from its data folder (a running server is not disturbed); None
    if none were made. Raises DeviceMissing, DeviceFault (only the folder's owner can read them)."""
    with open_existing(folder) as db:
        unit = db.execute("SELECT id FROM units WHERE serial = ?", (serial,)).fetchone()
        return _stored(db, unit["id"]) if unit else None


def _stored(db: sqlite3.Connection, unit: int) -> Credentials | None:
    row = db.execute("SELECT os, bios, ipmi FROM credentials WHERE unit = ?", (unit,)).fetchone()
    return Credentials(Secret(row["os"]), Secret(row["bios"]), Secret(row["ipmi"])) if row else None


def _provisioning(db: sqlite3.Connection, place: Origin) -> Provisioning:
    row = db.execute(
        "SELECT state, state_ns, state_session, sealed, open_until_ns FROM units WHERE id = ?", (place.unit,)
    ).fetchone()
    return Provisioning(
        state=ProcessState(row["state"]),
        since_ns=row["state_ns"],
        same_session=row["state_session"] == place.session,
        sealed=bool(row["sealed"]),
        open_until_ns=row["open_until_ns"],
    )
