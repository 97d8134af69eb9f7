"""The audit trail in the store: an append-only table, whose last entry is sealed with the key of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, insert, select

from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.rows import octets
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import audit
from gprov.domain.errors import IntegrityFault, Problem
from gprov.domain.factory.audit import (
    EMPTY,
    Actor,
    AuditAction,
    AuditEntry,
    Link,
    Mark,
    chain_problems,
    digest_of,
    members_of,
)

_ACTIONS = frozenset(action.value for action in AuditAction)


class AuditTrail:
    """``now``: the server's clock, UTC, ns."""

    def __init__(self, key: StoreKey, now: Callable[[], int]) -> None:
        self._key = key
        self._now = now

    def append(self, db: Connection, action: AuditAction, serial: str, actor: Actor, detail: str = "") -> AuditEntry:
        """Add an entry within the transaction of what it is about. ``serial``: "" for the whole store."""
        entry, digest = self._add(db, action, serial, actor, detail)
        self._key.vouch(db, Mark(entry.number, digest))
        return entry

    def append_unsealed(self, db: Connection, action: AuditAction, actor: Actor, detail: str) -> Mark:
        """Add an entry about the key itself, which has to be set with the returned state then."""
        entry, digest = self._add(db, action, "", actor, detail)
        return Mark(entry.number, digest)

    def problems(self, db: Connection, noted: Mark | None = None) -> tuple[Problem, ...]:
        """What was changed in or removed from the trail. ``noted``: a state that was noted elsewhere."""
        try:
            last = self._key.vouched(db)
        except IntegrityFault:
            forged = Problem(
                "", "the seal of the last entry does not belong to it: the trail was changed without the key"
            )
            return (forged, *chain_problems(_links(db), last_mark(db), noted))
        return tuple(chain_problems(_links(db), last, noted))

    def _add(
        self, db: Connection, action: AuditAction, serial: str, actor: Actor, detail: str
    ) -> tuple[AuditEntry, bytes]:
        last = last_mark(db)
        entry = AuditEntry(
            number=last.number + 1, time_ns=self._now(), action=action, serial=serial, actor=actor, detail=detail
        )
        members = members_of(entry)
        digest = digest_of(members, last.digest)
        db.execute(insert(audit).values((*members, digest)))
        return entry, digest


def last_mark(db: Connection) -> Mark:
    row = db.execute(select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)).first()
    return Mark(row.number, octets(row.digest)) if row else EMPTY


def entries(db: Connection, serial: str = "") -> Iterator[AuditEntry]:
    """Oldest first, as they are stored; ``AuditTrail.problems`` compares them with their digests. ``serial``: those of
    one unit only, "" for all. Raises IntegrityFault at an entry that this program cannot have written."""
    wanted = select(audit).where(audit.c.serial == serial) if serial else select(audit)
    return (_entry(row) for row in db.execute(wanted.order_by(audit.c.number)))


def newest_entries(
    db: Connection, *, serial: str, who: str, action: AuditAction | None, before: int, most: int
) -> tuple[AuditEntry, ...]:
    """Newest first. "", None and 0 are no filters. ``before``: number of an entry. Raises IntegrityFault."""
    wanted = select(audit)
    if serial:
        wanted = wanted.where(audit.c.serial == serial)
    if who:
        wanted = wanted.where(audit.c.who == who)
    if action is not None:
        wanted = wanted.where(audit.c.action == action.value)
    if before:
        wanted = wanted.where(audit.c.number < before)
    return tuple(_entry(row) for row in db.execute(wanted.order_by(audit.c.number.desc()).limit(most)))


def _links(db: Connection) -> Iterator[Link]:
    for row in db.execute(select(audit).order_by(audit.c.number)):
        *members, digest = row
        yield Link(row.number, members, octets(digest))


def _entry(row: AnyRow) -> AuditEntry:
    number, time_ns = row.number, row.time_ns
    if row.action not in _ACTIONS or not isinstance(time_ns, int):
        raise IntegrityFault(
            "audit trail", f"entry {number}: was changed; `gprov server audit --verify --data DIR` finds all"
        )
    return AuditEntry(
        number=number,
        time_ns=time_ns,
        action=AuditAction(row.action),
        serial=row.serial,
        actor=Actor(row.who, row.reason),
        detail=row.detail,
    )
