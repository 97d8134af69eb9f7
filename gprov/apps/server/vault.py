"""Passwords: made once for each unit, stored, handed out under ``gprov.domain.factory.handout``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from gprov.apps.server.database import Database, open_existing
from gprov.apps.server.rows import Origin, note, origin
from gprov.apps.server.standing import standing_of
from gprov.domain.errors import BadInput, Problem, RefusedByPolicy
from gprov.domain.factory.handout import Request, refusal
from gprov.domain.factory.passwords import make_credentials
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import CredentialRequest
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Randomness

# How long a reopened unit stays open if it does not come.
REOPENED_NS = 24 * 3600 * 10**9


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
            why = refusal(standing_of(db, place.unit), _request(db, place), self._window_ns)
            if why is None:
                return self._open(db, place, peer)
            note(db, place, f"credentials refused to {peer}: {why.sentence}")
        raise Withheld(request.sender.serial, why)

    def _open(self, db: sqlite3.Connection, place: Origin, peer: str) -> Credentials:
        db.execute(
            "INSERT INTO handouts (unit, session, time_ns, peer) VALUES (?, ?, ?, ?)",
            (place.unit, place.session, place.now_ns, peer),
        )
        note(db, place, f"credentials handed out to {peer}")
        return _stored(db, place.unit) or self._make(db, place)

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


def _request(db: sqlite3.Connection, place: Origin) -> Request:
    row = db.execute("SELECT state_ns, state_session FROM units WHERE id = ?", (place.unit,)).fetchone()
    return Request(place.now_ns, row["state_ns"], row["state_session"] == place.session)
