"""Passwords of units in the store, encrypted; all versions, since a unit may have an older one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.rows import octets
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

    def credentials(self) -> Credentials:
        os, bios, ipmi = (self.newest[kind].secret for kind in (PasswordKind.OS, PasswordKind.BIOS, PasswordKind.IPMI))
        return Credentials(os, bios, ipmi, tuple(map(EarlierPassword, self.replaced_bios)))


class PasswordStore:
    """Functions within a transaction of the caller."""

    def __init__(self, key: StoreKey, randomness: Randomness, policy: PasswordPolicy) -> None:
        self._key = key
        self._randomness = randomness
        self._policy = policy

    def all(self, db: sqlite3.Connection, unit: UnitRow) -> tuple[KnownPassword, ...]:
        """By kind; of one kind the newest last. Raises IntegrityFault (a row was changed or exchanged), and what the
        key's provider raises."""
        box = self._key.box(db)
        rows = db.execute("SELECT * FROM passwords WHERE unit = ? ORDER BY kind, version", (unit.id,)).fetchall()
        found = []
        for row in rows:
            place = _place(unit.serial, row)
            secret = Secret(box.open(octets(row["ciphertext"]), place.context).decode())
            found.append(KnownPassword(place, row["made_ns"], secret))
        return tuple(found)

    def issue(
        self, db: sqlite3.Connection, unit: UnitRow, code_name: str, now_ns: int, *, rotate: bool = True
    ) -> Issue:
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
            db.execute("DELETE FROM rotations WHERE unit = ?", (unit.id,))
        newest = {**known, **made}
        bios = [each for each in stored if each.place.kind is PasswordKind.BIOS and each != newest[PasswordKind.BIOS]]
        replaced = tuple(each.secret for each in reversed(bios[-EARLIER_BIOS:]))
        return Issue(newest, tuple(password.place for password in made.values()), replaced)


def insert(db: sqlite3.Connection, unit: int, passwords: Iterable[KnownPassword], box: SecretBox) -> None:
    for password in passwords:
        place = password.place
        ciphertext = box.seal(password.secret.reveal().encode(), place.context)
        db.execute(
            "INSERT INTO passwords (unit, kind, version, made_ns, ciphertext) VALUES (?, ?, ?, ?, ?)",
            (unit, place.kind.value, place.version, password.made_ns, ciphertext),
        )


def reseal(db: sqlite3.Connection, old: SecretBox, new: SecretBox) -> int:
    """Encrypt all passwords with another key, and return how many. Raises IntegrityFault."""
    rows = db.execute(
        "SELECT unit, kind, version, ciphertext, serial FROM passwords JOIN units ON units.id = passwords.unit"
    ).fetchall()
    for row in rows:
        context = _place(row["serial"], row).context
        db.execute(
            "UPDATE passwords SET ciphertext = ? WHERE unit = ? AND kind = ? AND version = ?",
            (new.seal(old.open(octets(row["ciphertext"]), context), context), row["unit"], row["kind"], row["version"]),
        )
    return len(rows)


def _place(serial: str, row: sqlite3.Row) -> PasswordPlace:
    if row["kind"] not in _KINDS:
        raise IntegrityFault(f"password of {serial}", "was changed in the store: its kind is not known")
    return PasswordPlace(serial, PasswordKind(row["kind"]), row["version"])


def rotations(db: sqlite3.Connection, unit: int) -> tuple[PasswordKind, ...]:
    """Which are made anew at the next provisioning. ``unit``: its row number."""
    rows = db.execute("SELECT kind FROM rotations WHERE unit = ?", (unit,))
    due = {row["kind"] for row in rows}
    return tuple(kind for kind in PasswordKind if kind.value in due)


def versions(places: Iterable[PasswordPlace]) -> str:
    """For the audit trail: which version of which kind."""
    return ", ".join(f"{place.kind.value} {place.version}" for place in places)
