"""Passwords of units in the store, encrypted; all versions, since a unit may have an older one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update
from sqlalchemy import insert as insert_into

from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.rows import octets
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import passwords as table
from gprov.apps.server.store.tables import rotations as due_table
from gprov.apps.server.store.tables import units
from gprov.domain.errors import IntegrityFault
from gprov.domain.factory.password_policy import PasswordPolicy
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.passwords import make_password
from gprov.domain.factory.sealed_password import PasswordPlace
from gprov.domain.unit.credentials import Credentials, EarlierPassword, Secret
from gprov.ports.clock import Randomness
from gprov.ports.secretbox import SecretBox


@dataclass(frozen=True, slots=True)
class UnitRow:
    """Row number and serial number of a unit."""

    id: int
    serial: str


@dataclass(frozen=True, slots=True)
class KnownPassword:
    """``made_ns``: UTC, by the server's clock."""

    place: PasswordPlace
    made_ns: int
    secret: Secret


# Replaced BIOS passwords that a unit is told: setups lock after a few wrong ones.
EARLIER_BIOS = 2
_KINDS = frozenset(kind.value for kind in PasswordKind)
Newest = Mapping[PasswordKind, KnownPassword]


@dataclass(frozen=True, slots=True)
class Issue:
    """``newest``: one of each kind; ``made``: those of them that were made for it; ``replaced_bios``: newest first."""

    newest: Newest
    made: tuple[PasswordPlace, ...] = ()
    replaced_bios: tuple[Secret, ...] = ()

    def credentials(self, *, with_replaced: bool) -> Credentials:
        os, bios, ipmi = (self.newest[kind].secret for kind in (PasswordKind.OS, PasswordKind.BIOS, PasswordKind.IPMI))
        replaced = self.replaced_bios if with_replaced else ()
        return Credentials(os, bios, ipmi, tuple(map(EarlierPassword, replaced)))


class PasswordStore:
    """Functions within a transaction of the caller."""

    def __init__(self, key: StoreKey, randomness: Randomness, policy: PasswordPolicy) -> None:
        self._key = key
        self._randomness = randomness
        self._policy = policy

    def all(self, db: Connection, unit: UnitRow) -> tuple[KnownPassword, ...]:
        """By kind; of one kind the newest last. Raises IntegrityFault (a row was changed or exchanged), and what the
        key's provider raises."""
        box = self._key.box(db)
        rows = db.execute(select(table).where(table.c.unit == unit.id).order_by(table.c.kind, table.c.version)).all()
        found = []
        for row in rows:
            place = _place(unit.serial, row)
            secret = Secret(box.open(octets(row.ciphertext), place.context).decode())
            found.append(KnownPassword(place, row.made_ns, secret))
        return tuple(found)

    def issue(self, db: Connection, unit: UnitRow, code_name: str, now_ns: int, *, rotate: bool = True) -> Issue:
        """The newest of each kind, after those that are missing were made, with ``rotate`` also those that are due to
        be replaced."""
        due = rotations(db, unit.id) if rotate else ()
        stored = self.all(db, unit)
        known = {password.place.kind: password for password in stored}
        rules = self._policy.rules_for(code_name)
        made = {}
        for kind in PasswordKind:
            before = known.get(kind)
            if before is None or kind in due:
                place = PasswordPlace(unit.serial, kind, before.place.version + 1 if before else 1)
                made[kind] = KnownPassword(place, now_ns, make_password(self._randomness.token, rules[kind]))
        insert(db, unit.id, made.values(), self._key.box(db))
        if due:
            db.execute(delete(due_table).where(due_table.c.unit == unit.id))
        newest = {**known, **made}
        bios = [each for each in stored if each.place.kind is PasswordKind.BIOS and each != newest[PasswordKind.BIOS]]
        replaced = tuple(each.secret for each in reversed(bios[-EARLIER_BIOS:]))
        return Issue(newest, tuple(password.place for password in made.values()), replaced)


def insert(db: Connection, unit: int, passwords: Iterable[KnownPassword], box: SecretBox) -> None:
    for password in passwords:
        place = password.place
        ciphertext = box.seal(password.secret.reveal().encode(), place.context)
        row = {"unit": unit, "kind": place.kind.value, "version": place.version, "made_ns": password.made_ns}
        db.execute(insert_into(table).values(**row, ciphertext=ciphertext))


def reseal(db: Connection, old: SecretBox, new: SecretBox) -> int:
    """Encrypt all passwords with another key, and return how many. Raises IntegrityFault."""
    rows = db.execute(select(table, units.c.serial).join(units, units.c.id == table.c.unit)).all()
    for row in rows:
        context = _place(row.serial, row).context
        this = (table.c.unit == row.unit, table.c.kind == row.kind, table.c.version == row.version)
        ciphertext = new.seal(old.open(octets(row.ciphertext), context), context)
        db.execute(update(table).where(*this).values(ciphertext=ciphertext))
    return len(rows)


def _place(serial: str, row: AnyRow) -> PasswordPlace:
    if row.kind not in _KINDS:
        raise IntegrityFault(f"password of {serial}", "was changed in the store: its kind is not known")
    return PasswordPlace(serial, PasswordKind(row.kind), row.version)


def rotations(db: Connection, unit: int) -> tuple[PasswordKind, ...]:
    """Which are made anew at the next provisioning. ``unit``: its row number."""
    due = set(db.execute(select(due_table.c.kind).where(due_table.c.unit == unit)).scalars())
    return tuple(kind for kind in PasswordKind if kind.value in due)


def versions(places: Iterable[PasswordPlace]) -> str:
    """For the audit trail: which version of which kind."""
    return ", ".join(f"{place.kind.value} {place.version}" for place in places)
