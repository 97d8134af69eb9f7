"""The key that encrypts the secrets of the store, as the store names it.

The one row of ``store_key`` names the key, and seals the state of the audit trail with it: that shows whether a key is
the right one, and whether the trail was shortened or computed anew without it.
"""

from __future__ import annotations

import sqlite3

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import octets
from gprov.domain.errors import DeviceMissing
from gprov.domain.factory.audit import Mark
from gprov.domain.factory.sealed_password import seal_context
from gprov.ports.secretbox import KeyProvider, SecretBox

# What a seal holds that only its context matters of.
_NOTHING = b""
REMEDY = (
    "name the source of this key (--key-file), or restore it from its copy. If it is lost, the passwords in the store"
    " cannot be read any more: `gprov server credentials give-up-key` makes the server go on with a new key"
)


class StoreKey:
    """``database``: of the store that the key belongs to."""

    def __init__(self, database: Database, keys: KeyProvider) -> None:
        self._database = database
        self._keys = keys
        self._box: SecretBox | None = None

    def key_id(self) -> str | None:
        """None: nothing was encrypted yet."""
        with self._database.read() as db:
            return _key_id(db)

    def box(self, db: sqlite3.Connection) -> SecretBox:
        """The box with the key that the store has now: another process may have replaced it. Raises DeviceMissing."""
        key_id = _key_id(db)
        if key_id is None:
            raise DeviceMissing(self._database.path, "has no key yet")
        if self._box is None or self._box.key_id != key_id:
            self._box = self._existing(key_id)
        return self._box

    def fresh(self) -> SecretBox:
        """The key for a store that has none."""
        return self._keys.fresh()

    def set(self, db: sqlite3.Connection, box: SecretBox, last: Mark) -> None:
        """Make it the key of the store from now on. ``last``: state of the audit trail. What was written with another
        key, or with none, is to be removed from the file afterwards."""
        db.execute(
            "INSERT INTO store_key (id, key_id, last_number, last_digest, seal, scrub_due) VALUES (1, ?, 0, '', '', 1)"
            " ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, scrub_due = 1",
            (box.key_id,),
        )
        self._box = box
        self.vouch(db, last)

    def vouch(self, db: sqlite3.Connection, last: Mark) -> None:
        """Seal a new state of the audit trail."""
        seal = self.box(db).seal(_NOTHING, seal_context(last))
        db.execute("UPDATE store_key SET last_number = ?, last_digest = ?, seal = ?", (last.number, last.digest, seal))

    def vouched(self, db: sqlite3.Connection) -> Mark:
        """The state of the audit trail that was sealed last. Raises IntegrityFault if it was not sealed with this
        key."""
        row = db.execute("SELECT last_number, last_digest, seal FROM store_key").fetchone()
        last = Mark(row["last_number"], octets(row["last_digest"]))
        self.box(db).open(octets(row["seal"]), seal_context(last))
        return last

    def scrub(self) -> bool:
        """Remove what was replaced from the file, if that is due. False: it is still due."""
        with self._database.read() as db:
            row = db.execute("SELECT key_id, scrub_due FROM store_key").fetchone()
        if row is None or not row["scrub_due"]:
            return True
        if not self._database.scrub():
            return False
        with self._database.write() as db:
            # Still due if another process has replaced the key meanwhile.
            db.execute("UPDATE store_key SET scrub_due = 0 WHERE key_id = ?", (row["key_id"],))
        return True

    def _existing(self, key_id: str) -> SecretBox:
        try:
            return self._keys.existing(key_id)
        except DeviceMissing as exc:
            reason = f"{exc.reason}. The store of {self._database.path} is encrypted with {key_id}: {REMEDY}"
            raise DeviceMissing(exc.subject, reason, errno=exc.errno) from exc


def _key_id(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT key_id FROM store_key").fetchone()
    return str(row["key_id"]) if row else None
