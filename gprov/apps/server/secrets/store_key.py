"""The key that encrypts the secrets of the store, as the store names it.

The one row of ``store_key`` names the key, and seals the state of the audit trail with it: that shows whether a key is
the right one, and whether the trail was shortened or computed anew without it.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import octets
from gprov.apps.server.store.statements import upsert
from gprov.apps.server.store.tables import store_key
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

    def box(self, db: Connection) -> SecretBox:
        """The box with the key that the store has now: another process may have replaced it. Raises DeviceMissing."""
        key_id = _key_id(db)
        if key_id is None:
            raise DeviceMissing(self._database.name, "has no key yet")
        if self._box is None or self._box.key_id != key_id:
            self._box = self._existing(key_id)
        return self._box

    def fresh(self) -> SecretBox:
        """The key for a store that has none."""
        return self._keys.fresh()

    def set(self, db: Connection, box: SecretBox, last: Mark) -> None:
        """Make it the key of the store from now on. ``last``: state of the audit trail. What was written with another
        key, or with none, is to be removed from the file afterwards."""
        first = {"id": 1, "key_id": box.key_id, "last_number": 0, "last_digest": b"", "seal": b"", "scrub_due": True}
        other = {"key_id": box.key_id, "scrub_due": True}
        db.execute(
            upsert(db, store_key).values(**first).on_conflict_do_update(index_elements=[store_key.c.id], set_=other)
        )
        self._box = box
        self.vouch(db, last)

    def vouch(self, db: Connection, last: Mark) -> None:
        """Seal a new state of the audit trail."""
        seal = self.box(db).seal(_NOTHING, seal_context(last))
        db.execute(update(store_key).values(last_number=last.number, last_digest=last.digest, seal=seal))

    def vouched(self, db: Connection) -> Mark:
        """The state of the audit trail that was sealed last. Raises IntegrityFault if it was not sealed with this
        key."""
        row = db.execute(select(store_key)).one()
        last = Mark(row.last_number, octets(row.last_digest))
        self.box(db).open(octets(row.seal), seal_context(last))
        return last

    def scrub(self) -> bool:
        """Remove what was replaced from the file, if that is due. False: it is still due."""
        with self._database.read() as db:
            row = db.execute(select(store_key.c.key_id, store_key.c.scrub_due)).first()
        if row is None or not row.scrub_due:
            return True
        if not self._database.scrub():
            return False
        with self._database.write() as db:
            # Still due if another process has replaced the key meanwhile.
            db.execute(update(store_key).where(store_key.c.key_id == row.key_id).values(scrub_due=False))
        return True

    def _existing(self, key_id: str) -> SecretBox:
        try:
            return self._keys.existing(key_id)
        except DeviceMissing as exc:
            reason = f"{exc.reason}. The store of {self._database.name} is encrypted with {key_id}: {REMEDY}"
            raise DeviceMissing(exc.subject, reason, errno=exc.errno) from exc


def _key_id(db: Connection) -> str | None:
    found: str | None = db.execute(select(store_key.c.key_id)).scalar_one_or_none()
    return found
