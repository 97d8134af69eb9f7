"""Signing in: sessions of people, and which person or program a request is of."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gprov.apps.server.access.account_passwords import AccountPasswords
from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import accounts, api_tokens, signed_in
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.factory.accounts import TOKEN_BYTES, Role, Times, is_current
from gprov.domain.factory.audit import Actor, AuditAction, RefusalBudget
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.rates import Rate, RateLimiter
from gprov.domain.factory.start_token import digest_of
from gprov.domain.unit.credentials import Secret
from gprov.ports.clock import Randomness

# Attempts of one address for one account; the settings say how many it has for all. No account is ever locked: another
# address, and after a pause this one, can sign in.
_FOR_ACCOUNT = Rate(2, 5)
_FAILURES, _PERIOD_NS = 200, 3600 * 10**9
_TOKEN = re.compile(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}")
# Threads that compare passwords or wait for their turn; others are for units.
_AT_ONCE, _BUSY_NS = 4, 2 * 10**9
# Each use of a session moves its idle time, but is stored no more often.
_MOVED_NS = 60 * 10**9


class SignInRefused(RefusedByPolicy):
    """Without saying whether the name or the password is wrong. ``wait_ns``: too many attempts; until the next one."""

    def __init__(self, wait_ns: int = 0) -> None:
        seconds = -(-wait_ns // 10**9)
        super().__init__(f"too many attempts: try again in {seconds} s" if wait_ns else "name or password is wrong")
        self.wait_ns = wait_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who a request is of. ``form_token``: in forms, against requests of other sites; "" for a program."""

    name: str
    role: Role
    form_token: str

    def actor(self, reason: str = "") -> Actor:
        return Actor(self.name, reason)


class SignIn:
    """``now``: the server's clock, UTC, ns. ``attempts``: of each address, and of all."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        passwords: AccountPasswords,
        randomness: Randomness,
        now: Callable[[], int],
        times: Times,
        *,
        attempts: RateLimiter,
    ) -> None:
        self._database = database
        self._trail = trail
        self._passwords = passwords
        self._randomness = randomness
        self._now = now
        self._times = times
        self._for_account, self._attempts = RateLimiter(_FOR_ACCOUNT), attempts
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._failures = RefusalBudget(_FAILURES, _PERIOD_NS)

    def sign_in(self, name: str, password: Secret, peer: str) -> Secret:
        """The token of a new session. Raises SignInRefused."""
        now_ns, group = self._now(), peer_group(peer)
        wait_ns = max(self._attempts.take(group, now_ns), self._for_account.take(f"{group} {name[:64]}", now_ns))
        if wait_ns:
            raise SignInRefused(wait_ns)
        with self._database.read() as db:
            stored = db.execute(select(accounts.c.password).where(accounts.c.name == name)).scalar_one_or_none()
        if not self._places.acquire(blocking=False):
            raise SignInRefused(_BUSY_NS)
        try:
            matches = self._passwords.matches(stored, password)
        finally:
            self._places.release()
        if not matches:
            self._record_failure(name, peer)
            raise SignInRefused
        token = Secret(self._randomness.token(TOKEN_BYTES).hex())
        with self._database.write() as db:
            self._remove_old(db, now_ns)
            # Another password may have been set meanwhile.
            this = (accounts.c.name == name, accounts.c.password == stored)
            if not db.execute(update(accounts).where(*this).values(seen_ns=now_ns)).rowcount:
                raise SignInRefused
            db.execute(insert(signed_in).values(digest=digest_of(token), account=name, began_ns=now_ns, seen_ns=now_ns))
            self._trail.append(db, AuditAction.SIGNED_IN, "", Actor(name), f"from {peer}")
        return token

    def sign_out(self, token: str) -> None:
        with self._database.write() as db:
            db.execute(delete(signed_in).where(signed_in.c.digest == digest_of(Secret(token))))

    def person(self, token: str) -> Person | None:
        """``token``: of the cookie. None: no such session, or it has ended."""
        if not _TOKEN.fullmatch(token):
            return None
        digest, now_ns = digest_of(Secret(token)), self._now()
        with self._database.read() as db:
            both = signed_in.join(accounts, accounts.c.name == signed_in.c.account)
            columns = (accounts.c.name, accounts.c.role, signed_in.c.began_ns, signed_in.c.seen_ns)
            row = db.execute(select(*columns).select_from(both).where(signed_in.c.digest == digest)).first()
        if row is None or not is_current(self._times, row.began_ns, row.seen_ns, now_ns):
            return None
        if now_ns - row.seen_ns >= _MOVED_NS:
            with self._database.write() as db:
                db.execute(update(signed_in).where(signed_in.c.digest == digest).values(seen_ns=now_ns))
        return Person(name=row.name, role=Role(row.role), form_token=_form_token(token))

    def program(self, token: str) -> Person | None:
        """``token``: of the header Authorization. None: no such token, or it has expired."""
        if not _TOKEN.fullmatch(token):
            return None
        digest, now_ns = digest_of(Secret(token)), self._now()
        this = api_tokens.c.digest == digest
        with self._database.read() as db:
            row = db.execute(select(api_tokens).where(this)).first()
        if row is None or 0 < row.expires_ns < now_ns:
            return None
        if now_ns - row.used_ns >= _MOVED_NS:
            with self._database.write() as db:
                db.execute(update(api_tokens).where(this).values(used_ns=now_ns))
        return Person(name=f"program {row.name}", role=Role(row.role), form_token="")

    def _remove_old(self, db: Connection, now_ns: int) -> None:
        idle = signed_in.c.seen_ns < now_ns - self._times.idle_ns
        db.execute(delete(signed_in).where(idle | (signed_in.c.began_ns < now_ns - self._times.most_ns)))

    def _record_failure(self, name: str, peer: str) -> None:
        skipped = self._failures.take(self._now())
        if skipped is None:
            return
        more = f" (before it {skipped} that are not recorded here)" if skipped else ""
        shown = ascii(name[:64])
        with self._database.write() as db:
            self._trail.append(db, AuditAction.SIGN_IN_FAILED, "", Actor(f"a person at {peer}"), f"as {shown}{more}")


def _form_token(token: str) -> str:
    return hashlib.sha256(f"form of {token}".encode()).hexdigest()[:32]
