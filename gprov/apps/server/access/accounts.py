"""Accounts of people in the store, and tokens with which programs read the API. Changes are in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gprov.apps.server.access.account_passwords import AccountPasswords
from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import accounts, api_tokens, signed_in
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.accounts import TOKEN_BYTES, ProgramRole, Role, check_managed, check_password, checked_name
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.start_token import digest_of
from gprov.domain.unit.credentials import Secret
from gprov.ports.clock import Randomness

MOST_ACCOUNTS = MOST_TOKENS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``seen_ns``: when this person last signed in; 0: never."""

    name: str
    role: Role
    made_ns: int
    seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramToken:
    """``expires_ns``, ``used_ns``: UTC; 0: never."""

    name: str
    role: Role
    made_ns: int
    made_by: str
    expires_ns: int
    used_ns: int


class Accounts:
    """``now``: the server's clock, UTC, ns. Methods raise BadInput for names that are not there or not valid."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        passwords: AccountPasswords,
        randomness: Randomness,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._trail = trail
        self._passwords = passwords
        self._randomness = randomness
        self._now = now

    def all(self) -> tuple[Account, ...]:
        with self._database.read() as db:
            rows = db.execute(select(accounts).order_by(accounts.c.name)).all()
        return tuple(
            Account(name=row.name, role=Role(row.role), made_ns=row.made_ns, seen_ns=row.seen_ns) for row in rows
        )

    def add(self, name: str, role: Role, password: Secret, actor: Actor) -> None:
        checked_name(name)
        check_password(name, password.reveal())
        hashed = self._passwords.hash(password)
        with self._database.write() as db:
            roles = _roles(db)
            if name in roles:
                raise BadInput("name", [Problem("", f"there is an account {name!r} already")])
            if len(roles) >= MOST_ACCOUNTS:
                raise BadInput("name", [Problem("", f"there are {MOST_ACCOUNTS} accounts already")])
            check_managed([*roles.values(), role])
            db.execute(
                insert(accounts).values(name=name, role=role.value, password=hashed, made_ns=self._now(), seen_ns=0)
            )
            self._record(db, actor, f"account {name} added with role {role.value}")

    def remove(self, name: str, actor: Actor) -> None:
        with self._database.write() as db:
            roles = _roles(db)
            _require(roles, name)
            check_managed([role for each, role in roles.items() if each != name])
            _sign_out(db, name)
            db.execute(delete(accounts).where(accounts.c.name == name))
            self._record(db, actor, f"account {name} removed")

    def set_role(self, name: str, role: Role, actor: Actor) -> None:
        with self._database.write() as db:
            roles = _roles(db)
            _require(roles, name)
            check_managed(list({**roles, name: role}.values()))
            db.execute(update(accounts).where(accounts.c.name == name).values(role=role.value))
            self._record(db, actor, f"account {name} has role {role.value}")

    def set_password(self, name: str, password: Secret, actor: Actor) -> None:
        """Ends all sessions of this person."""
        check_password(name, password.reveal())
        hashed = self._passwords.hash(password)
        with self._database.write() as db:
            _require(_roles(db), name)
            db.execute(update(accounts).where(accounts.c.name == name).values(password=hashed))
            _sign_out(db, name)
            self._record(db, actor, f"account {name} has another password; signed out everywhere")

    def sign_out_everywhere(self, name: str, actor: Actor) -> None:
        with self._database.write() as db:
            _require(_roles(db), name)
            _sign_out(db, name)
            self._record(db, actor, f"account {name} signed out everywhere")

    # --- programs ---

    def tokens(self) -> tuple[ProgramToken, ...]:
        with self._database.read() as db:
            rows = db.execute(select(api_tokens).order_by(api_tokens.c.name)).all()
        return tuple(
            ProgramToken(
                name=row.name,
                role=Role(row.role),
                made_ns=row.made_ns,
                made_by=row.made_by,
                expires_ns=row.expires_ns,
                used_ns=row.used_ns,
            )
            for row in rows
        )

    def add_token(self, name: str, role: Role, lifetime_ns: int, actor: Actor) -> Secret:
        """``lifetime_ns``: 0 for no end. It is shown once: the store has its SHA-256."""
        checked_name(name)
        if role.value not in {each.value for each in ProgramRole}:
            raise BadInput("role", [Problem("", "of a token must be view or operate: a program states no reasons")])
        token, now_ns = Secret(self._randomness.token(TOKEN_BYTES).hex()), self._now()
        expires_ns = now_ns + lifetime_ns if lifetime_ns else 0
        with self._database.write() as db:
            names = db.execute(select(api_tokens.c.name)).scalars().all()
            if name in names:
                raise BadInput("name", [Problem("", f"there is a token {name!r} already: remove it first")])
            if len(names) >= MOST_TOKENS:
                raise BadInput("name", [Problem("", f"there are {MOST_TOKENS} tokens already: remove one first")])
            row = {"name": name, "digest": digest_of(token), "role": role.value, "made_ns": now_ns, "used_ns": 0}
            db.execute(insert(api_tokens).values(**row, made_by=actor.who, expires_ns=expires_ns))
            self._record(db, actor, f"token {name} for programs with role {role.value}")
        return token

    def remove_token(self, name: str, actor: Actor) -> None:
        with self._database.write() as db:
            if not db.execute(delete(api_tokens).where(api_tokens.c.name == name)).rowcount:
                raise BadInput("name", [Problem("", f"there is no token {name!r}")])
            self._record(db, actor, f"token {name} for programs removed")

    def _record(self, db: Connection, actor: Actor, what: str) -> None:
        self._trail.append(db, AuditAction.ACCOUNT_CHANGED, "", actor, what)


def _roles(db: Connection) -> dict[str, Role]:
    return {row.name: Role(row.role) for row in db.execute(select(accounts.c.name, accounts.c.role))}


def _require(roles: dict[str, Role], name: str) -> None:
    if name not in roles:
        raise BadInput("name", [Problem("", f"there is no account {name!r}")])


def _sign_out(db: Connection, name: str) -> None:
    db.execute(delete(signed_in).where(signed_in.c.account == name))
