"""Going on without the passwords of a store whose key is lost."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import delete

from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.presence import sole_server
from gprov.apps.server.store.tables import passwords
from gprov.domain.errors import DeviceMissing, RefusedByPolicy
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.ports.secretbox import KeyProvider


@dataclass(frozen=True, slots=True)
class GivenUp:
    """``lost``, ``new``: ids of the keys; ``passwords``: how many were removed."""

    lost: str
    new: str
    passwords: int


def give_up_key(folder: str, database_url: str, keys: KeyProvider, actor: Actor) -> GivenUp:
    """Remove the passwords that cannot be decrypted, and go on with another key: units get fresh ones.
    ``database_url``: as in the server's settings. Raises RefusedByPolicy if ``keys`` has the key of the store,
    DeviceFault if a server is running."""
    with sole_server(folder, database_url), closing(Database(folder, database_url)) as database:
        key = StoreKey(database, keys)
        lost = key.key_id()
        if lost is None:
            raise RefusedByPolicy(f"{folder}: the store has no key yet")
        new = key.fresh()  # first: a passphrase is asked for once, and this one is being chosen
        try:
            keys.existing(lost)
        except DeviceMissing:
            pass
        else:
            raise RefusedByPolicy(f"{folder}: the key {lost} is there, the passwords can be decrypted")
        trail = AuditTrail(key, time.time_ns)
        with database.write() as db:
            count = db.execute(delete(passwords)).rowcount
            detail = f"{lost}; {count} passwords removed; new key {new.key_id}"
            key.set(db, new, trail.append_unsealed(db, AuditAction.KEY_GIVEN_UP, actor, detail))
        key.scrub()
    return GivenUp(lost, new.key_id, count)
