"""What people do with passwords on the server's host, while a server may be running. Each is one transaction with its
entry of the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection, select, update

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.password_store import KnownPassword, PasswordStore, UnitRow, reseal, versions
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import Origin, note
from gprov.apps.server.store.statements import upsert
from gprov.apps.server.store.tables import passwords, rotations, units
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.password_rule import PasswordKind
from gprov.ports.secretbox import SecretBox

# How long the passwords of a reopened unit can be fetched.
REOPENED_NS = 24 * 3600 * 10**9


class CredentialAdmin:
    """``now``: the server's clock, UTC, ns. Methods raise BadInput for a unit that the store does not have."""

    def __init__(
        self, database: Database, passwords: PasswordStore, trail: AuditTrail, key: StoreKey, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._trail = trail
        self._key = key
        self._now = now

    def reopen(self, serial: str, actor: Actor) -> None:
        """Let the next provisioning of a unit fetch its passwords, within a day, though one has succeeded before."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            open_until_ns = self._now() + REOPENED_NS
            db.execute(update(units).where(units.c.id == unit.id).values(open_until_ns=open_until_ns))
            self._note(db, unit, "credentials reopened on the server's host")
            self._trail.append(db, AuditAction.REOPENED, serial, actor)

    def rotate(self, serial: str, kinds: Collection[PasswordKind], actor: Actor) -> None:
        """Have the next provisioning get fresh passwords. The present ones are kept. Raises BadInput also if there are
        none yet."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            if db.execute(select(passwords.c.unit).where(passwords.c.unit == unit.id).limit(1)).first() is None:
                raise BadInput("serial", [Problem("", f"unit {serial!r} has no passwords yet")])
            ordered = [kind for kind in PasswordKind if kind in kinds]
            for kind in ordered:
                db.execute(upsert(db, rotations).values(unit=unit.id, kind=kind.value).on_conflict_do_nothing())
            words = ", ".join(kind.value for kind in ordered)
            self._note(db, unit, f"credentials ({words}) are made anew for the next provisioning")
            self._trail.append(db, AuditAction.ROTATION, serial, actor, words)

    def reveal(self, serial: str, actor: Actor) -> tuple[KnownPassword, ...]:
        """All passwords that the unit was given, by kind; of one kind the newest last. Recorded before this returns."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            found = self._passwords.all(db, unit)
            shown = versions(password.place for password in found) or "none were made"
            self._note(db, unit, "credentials revealed on the server's host")
            self._trail.append(db, AuditAction.REVEALED, serial, actor, shown)
        return found

    def replace_key(self, new: SecretBox, actor: Actor) -> int:
        """Encrypt everything with another key, in one transaction. Returns how many passwords. Raises IntegrityFault if
        one was changed: then all keep the key."""
        with self._database.write() as db:
            old = self._key.box(db)
            count = reseal(db, old, new)
            detail = f"{old.key_id} by {new.key_id}; {count} passwords"
            self._key.set(db, new, self._trail.append_unsealed(db, AuditAction.KEY_REPLACED, actor, detail))
        return count

    def _note(self, db: Connection, unit: UnitRow, text: str) -> None:
        note(db, Origin(unit.id, 0, self._now()), text)


def _unit(db: Connection, serial: str) -> UnitRow:
    found: int | None = db.execute(select(units.c.id).where(units.c.serial == serial)).scalar_one_or_none()
    if found is None:
        raise BadInput("serial", [Problem("", f"no unit {serial!r} is known")])
    return UnitRow(found, serial)
