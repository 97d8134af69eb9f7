"""Passwords: made once for each unit, stored, handed out by the rules of
``gprov.domain.factory.credential_policy``."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, select

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.password_store import PasswordStore, UnitRow, versions
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import Origin, establish, note, origin_of
from gprov.apps.server.store.state_reports import status_of
from gprov.apps.server.store.tables import handouts, units
from gprov.apps.server.store.unit_rows import access_of, add_concern, forget_proofs, save_access
from gprov.domain.errors import IntegrityFault, RefusedByPolicy
from gprov.domain.factory.audit import Actor, AuditAction, RefusalBudget
from gprov.domain.factory.credential_policy import Inquiry, refusal
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import CredentialRequest
from gprov.domain.factory.unit_access import handed_out, may_have_passwords, may_have_replaced
from gprov.domain.unit.credentials import Credentials

# Refusals in the audit trail; each is in the unit's log.
_REFUSALS, _REFUSALS_NS = 1000, 3600 * 10**9


class CredentialsRefused(RefusedByPolicy):
    """Credentials were asked for and not handed out."""

    def __init__(self, serial: str, why: Refusal) -> None:
        super().__init__(f"{serial}: {why.sentence}")
        self.why = why


class CredentialService:
    """``window_ns``: how long after MFG_STARTED passwords are handed out. ``strict``: only to the session that began
    the provisioning with a token."""

    def __init__(
        self,
        database: Database,
        passwords: PasswordStore,
        trail: AuditTrail,
        now: Callable[[], int],
        window_ns: int,
        *,
        strict: bool = False,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._trail = trail
        self._now = now
        self._window_ns = window_ns
        self._strict = strict
        self._refusals = RefusalBudget(_REFUSALS, _REFUSALS_NS)

    def hand_out(self, request: CredentialRequest, peer: str) -> Credentials:
        """The unit's passwords, stored before this returns. ``peer``: address of the client. Raises CredentialsRefused;
        IntegrityFault (they were changed in the store), and what the provider of the key raises."""
        serial = request.sender.serial
        try:
            with self._database.write() as db:
                origin = origin_of(db, request.sender, self._now())
                why = self._refusal(db, origin, peer)
                if why is None:
                    return self._hand_out(db, UnitRow(origin.unit, serial), origin, peer)
                self._record_refusal(db, origin, serial, peer, why.sentence)
        except IntegrityFault as fault:
            with self._database.write() as db:
                origin = origin_of(db, request.sender, self._now())
                self._record_refusal(db, origin, serial, peer, f"the stored {fault}")
            raise
        raise CredentialsRefused(serial, why)

    def _refusal(self, db: Connection, origin: Origin, peer: str) -> Refusal | None:
        access = access_of(db, origin.unit)
        if self._strict and not may_have_passwords(access, origin.session):
            if access.holder:
                add_concern(db, origin.unit, f"another session asked for its passwords, from {peer}")
            return Refusal.OTHER_SESSION
        return refusal(status_of(db, origin.unit), _inquiry(db, origin), self._window_ns)

    def _hand_out(self, db: Connection, unit: UnitRow, origin: Origin, peer: str) -> Credentials:
        """A session that has got its passwords gets the same again, even if others are due since."""
        before = select(handouts.c.id).where(handouts.c.session == origin.session).limit(1)
        served = db.execute(before).first() is not None
        code_name = db.execute(select(units.c.code_name).where(units.c.id == origin.unit)).scalar_one()
        issue = self._passwords.issue(db, unit, code_name, origin.now_ns, rotate=not served)
        db.execute(insert(handouts).values(unit=origin.unit, session=origin.session, time_ns=origin.now_ns, peer=peer))
        establish(db, origin.unit)
        access = access_of(db, origin.unit)
        save_access(db, origin.unit, handed_out(access, origin.session))
        forget_proofs(db, origin.unit)
        note(db, origin, f"credentials handed out to {peer}")
        actor, places = _unit_at(peer), [password.place for password in issue.newest.values()]
        if issue.made:
            self._trail.append(db, AuditAction.MADE, unit.serial, actor, versions(issue.made))
        self._trail.append(db, AuditAction.HANDED_OUT, unit.serial, actor, versions(places))
        return issue.credentials(with_replaced=may_have_replaced(access))

    def _record_refusal(self, db: Connection, origin: Origin, serial: str, peer: str, why: str) -> None:
        note(db, origin, f"credentials refused to {peer}: {why}")
        skipped = self._refusals.take(origin.now_ns)
        if skipped is None:
            return
        more = f" (before it {skipped} refusals that are not recorded here)" if skipped else ""
        self._trail.append(db, AuditAction.REFUSED, serial, _unit_at(peer), f"{why}{more}")


def _unit_at(peer: str) -> Actor:
    return Actor(f"unit at {peer}")


def _inquiry(db: Connection, origin: Origin) -> Inquiry:
    row = db.execute(select(units.c.state_ns, units.c.state_session).where(units.c.id == origin.unit)).one()
    return Inquiry(origin.now_ns, row.state_ns, row.state_session == origin.session)
