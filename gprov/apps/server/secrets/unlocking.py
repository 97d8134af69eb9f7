"""Opening a store with its key, which is chosen the first time."""

from __future__ import annotations

from sqlalchemy import select

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import store_key
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.factory.audit import Actor, AuditAction

_SERVER = Actor("server")


def unlock(database: Database, key: StoreKey, trail: AuditTrail) -> None:
    """Raises what the key's provider raises, DeviceFault (the seal of the store was changed)."""
    if key.key_id() is None:
        box = key.fresh()  # outside of a transaction: a person may have to type
        with database.write() as db:
            if db.execute(select(store_key.c.id)).first() is None:
                key.set(db, box, trail.append_unsealed(db, AuditAction.ENCRYPTED, _SERVER, "a new store"))
    with database.read() as db:
        try:
            key.vouched(db)
        except IntegrityFault as exc:
            reason = "the seal of its audit trail was changed without the key: restore the store from a backup"
            raise DeviceFault(database.name, reason) from exc
    key.scrub()
