"""What people do with passwords on the server's host, while a server may be running. Each is one transaction with its
entry of the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection, select

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.password_store import KnownPassword, PasswordStore, UnitRow, reseal, versions
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import Origin, note
from gprov.apps.server.store.state_reports import settle
from gprov.apps.server.store.statements import upsert
from gprov.apps.server.store.tables import documents, passwords, rotations, units
from gprov.apps.server.store.unit_rows import access_of, forget_proofs, save_access
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.documents import Decision, DocumentStatus
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.unit_access import looked_at, reopened
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

    def reopen(self, serial: str, actor: Actor, *, replace_passwords: bool = False) -> None:
        """Let the next provisioning of a unit begin and fetch its passwords, within a day, though one has succeeded, or
        another session has got them. What is on the unit proves nothing any longer until then. ``replace_passwords``:
        it gets others than those that were handed out."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            open_until_ns = self._now() + REOPENED_NS
            save_access(db, unit.id, reopened(access_of(db, unit.id), open_until_ns))
            forget_proofs(db, unit.id)
            if replace_passwords:
                self._rotate(db, unit, PasswordKind)
            detail = "passwords are made anew" if replace_passwords else ""
            self._note(db, unit, f"reopened by {actor.who}: one more provisioning" + (f"; {detail}" if detail else ""))
            self._trail.append(db, AuditAction.REOPENED, serial, actor, detail)

    def rotate(self, serial: str, kinds: Collection[PasswordKind], actor: Actor) -> None:
        """Have the next provisioning get fresh passwords. The present ones are kept. Raises BadInput also if there are
        none yet."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            if db.execute(select(passwords.c.unit).where(passwords.c.unit == unit.id).limit(1)).first() is None:
                raise BadInput("serial", [Problem("", f"unit {serial!r} has no passwords yet")])
            ordered = [kind for kind in PasswordKind if kind in kinds]
            self._rotate(db, unit, ordered)
            words = ", ".join(kind.value for kind in ordered)
            self._note(db, unit, f"credentials ({words}) are made anew for the next provisioning")
            self._trail.append(db, AuditAction.ROTATION, serial, actor, words)

    def reveal(self, serial: str, actor: Actor) -> tuple[KnownPassword, ...]:
        """All passwords that the unit was given, by kind; of one kind the newest last. Recorded before this returns."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            found = self._passwords.all(db, unit)
            shown = versions(password.place for password in found) or "none were made"
            self._note(db, unit, f"credentials revealed to {actor.who}")
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

    def look_at(self, serial: str, actor: Actor) -> None:
        """A person has looked at what was not usual with the unit: it holds no document any longer."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            access = access_of(db, unit.id)
            if not access.concern:
                raise BadInput("serial", [Problem("", f"unit {serial!r} has nothing that a person has to look at")])
            save_access(db, unit.id, looked_at(access))
            self._note(db, unit, f"{actor.who} has looked at it: {actor.reason}")
            self._trail.append(db, AuditAction.LOOKED_AT, serial, actor, access.concern)

    def decide_document(self, serial: str, name: str, actor: Actor, *, release: bool) -> None:
        """Release or discard a QA document that waits for a person. Raises BadInput also if it does not wait."""
        with self._database.write() as db:
            unit = _unit(db, serial)
            waiting = (
                documents.c.unit == unit.id,
                documents.c.name == name,
                documents.c.status == DocumentStatus.WAITING.value,
            )
            row = db.execute(select(documents.c.id, documents.c.session).where(*waiting)).first()
            if row is None:
                raise BadInput("document", [Problem("", f"{name!r} of unit {serial!r} does not wait for a person")])
            status = DocumentStatus.RELEASED if release else DocumentStatus.DISCARDED
            decision = Decision(status, f"by {actor.who}: {actor.reason}")
            settle(db, Origin(unit.id, row.session, self._now()), row.id, name, decision)
            action = AuditAction.DOCUMENT_RELEASED if release else AuditAction.DOCUMENT_REFUSED
            self._trail.append(db, action, serial, actor, name)

    def _rotate(self, db: Connection, unit: UnitRow, kinds: Iterable[PasswordKind]) -> None:
        for kind in kinds:
            db.execute(upsert(db, rotations).values(unit=unit.id, kind=kind.value).on_conflict_do_nothing())

    def _note(self, db: Connection, unit: UnitRow, text: str) -> None:
        note(db, Origin(unit.id, 0, self._now()), text)


def _unit(db: Connection, serial: str) -> UnitRow:
    found: int | None = db.execute(select(units.c.id).where(units.c.serial == serial)).scalar_one_or_none()
    if found is None:
        raise BadInput("serial", [Problem("", f"no unit {serial!r} is known")])
    return UnitRow(found, serial)
