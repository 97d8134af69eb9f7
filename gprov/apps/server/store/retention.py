"""Removing events and documents of units that have been silent for a long time. Their records, states, passwords,
certificates and the audit trail stay, and so do files in the documents folder. A unit with a document that is held or
waits for a person keeps everything until that is decided: the person needs its log."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, exists, func, select, update

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import remove_events
from gprov.apps.server.store.tables import documents, events, units
from gprov.domain.factory.documents import DocumentStatus

_UNDECIDED = (DocumentStatus.HELD.value, DocumentStatus.WAITING.value)
# Rows of one step: reports of units wait for it.
ROWS = 500


class Retention:
    """``now``: the server's clock, UTC, ns. ``keep_ns``: how long; 0 for ever."""

    def __init__(self, database: Database, now: Callable[[], int], keep_ns: int) -> None:
        self._database = database
        self._now = now
        self._keep_ns = keep_ns

    def step(self) -> bool:
        """Remove some rows of one unit. False: there is nothing to be removed now."""
        if not self._keep_ns:
            return False
        undecided = exists().where(documents.c.unit == units.c.id, documents.c.status.in_(_UNDECIDED))
        overdue = (~units.c.cleared, units.c.last_seen_ns < self._now() - self._keep_ns, ~undecided)
        oldest = select(units.c.id).where(*overdue).order_by(units.c.last_seen_ns).limit(1)
        with self._database.read() as db:
            if db.execute(oldest).first() is None:
                return False
        with self._database.write() as db:
            unit = db.execute(oldest).scalar_one_or_none()  # it may have reported meanwhile
            if unit is None:
                return False
            removed = _remove_events(db, unit) or _remove_documents(db, unit)
            if not removed:
                db.execute(update(units).where(units.c.id == unit).values(cleared=True))
            return True


def _remove_events(db: Connection, unit: int) -> bool:
    first: int | None = db.execute(select(func.min(events.c.seq)).where(events.c.unit == unit)).scalar_one()
    if first is None:
        return False
    remove_events(db, unit, first + ROWS - 1)
    return True


def _remove_documents(db: Connection, unit: int) -> bool:
    """All but released ones that are still to be written."""
    done = (documents.c.status != DocumentStatus.RELEASED.value) | documents.c.written
    return db.execute(delete(documents).where(documents.c.unit == unit, done)).rowcount > 0
