"""Opening a store with its key: the first time the key is chosen, and passwords in plain text are encrypted."""

from __future__ import annotations

import sqlite3

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.password_store import KnownPassword, insert
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.sealed_password import PasswordPlace
from gprov.domain.unit.credentials import Secret
from gprov.ports.secretbox import SecretBox

_SERVER = Actor("server")


def unlock(database: Database, key: StoreKey, trail: AuditTrail) -> None:
    """Raises what the key's provider raises, DeviceFault (the seal of the store was changed)."""
    if key.key_id() is None:
        box = key.fresh()  # outside of a transaction: a person may have to type
        with database.write() as db:
            if db.execute("SELECT 1 FROM store_key").fetchone() is None:
                _begin(db, key, trail, box)
    with database.read() as db:
        try:
            key.vouched(db)
        except IntegrityFault as exc:
            reason = "the seal of its audit trail was changed without the key: restore the store from a backup"
            raise DeviceFault(database.path, reason) from exc
    key.scrub()


def _begin(db: sqlite3.Connection, key: StoreKey, trail: AuditTrail, box: SecretBox) -> None:
    count = _encrypt_plain(db, box)
    detail = f"{count} passwords that were in plain text" if count else "a new store"
    key.set(db, box, trail.append_unsealed(db, AuditAction.ENCRYPTED, _SERVER, detail))


def _encrypt_plain(db: sqlite3.Connection, box: SecretBox) -> int:
    """Move the passwords of the plain table, which earlier versions had, and drop it. Returns how many."""
    rows = db.execute(
        "SELECT unit, serial, os, bios, ipmi, made_ns FROM credentials JOIN units ON units.id = credentials.unit"
    ).fetchall()
    for row in rows:
        found = [
            KnownPassword(PasswordPlace(row["serial"], kind, 1), row["made_ns"], Secret(row[kind.value]))
            for kind in PasswordKind
        ]
        insert(db, row["unit"], found, box)
    db.execute("DROP TABLE credentials")
    return len(rows) * len(PasswordKind)
