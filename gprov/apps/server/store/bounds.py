"""Bounds for what clients can have stored: logs, units that may be made up, and discarded documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, delete, func, select, update

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import EVENT_BYTES, EVENTS_KEPT, remove_events
from gprov.apps.server.store.tables import TABLES, documents, erasures, events, sessions, units
from gprov.domain.erase.certificate import sha256_of
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.limits.refusals import NoRoom
from gprov.domain.factory.requests import Sender
from gprov.domain.factory.settings.limits import StoreBounds

# A unit that is being provisioned reports more often.
SILENT_NS = 3600 * 10**9
# Units that one report removes at most: others wait for it.
_REMOVED_AT_ONCE = 20
# How long the amount of stored content is taken to be as it was.
_CONTENT_NS = 2 * 10**9
# Records of discarded documents that are kept for a unit.
DISCARDED_KEPT = 100
# A log that is too long is cut by this part, so that not each report cuts it.
_CUT = 16


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has of a sender. ``candidate``: see ``tables.units``; True if it has nothing. ``sealed``: the unit
    was provisioned here."""

    unit: bool = False
    session: bool = False
    candidate: bool = True
    sealed: bool = False


class BoundedStore:
    """``now``: the server's clock, UTC, ns."""

    def __init__(self, database: Database, bounds: StoreBounds, now: Callable[[], int]) -> None:
        self._database = database
        self._bounds = bounds
        self._now = now
        self._content = (False, -2 * _CONTENT_NS)  # whether there was room, and when

    def known(self, sender: Sender) -> Known:
        session = and_(sessions.c.unit == units.c.id, sessions.c.key == sha256_of(sender.session.encode()))
        found = select(units.c.candidate, units.c.sealed, sessions.c.id).select_from(units.outerjoin(sessions, session))
        with self._database.read() as db:
            row = db.execute(found.where(units.c.serial == sender.serial)).one_or_none()
        if row is None:
            return Known()
        return Known(unit=True, session=row.id is not None, candidate=row.candidate, sealed=row.sealed)

    def make_room_for_unit(self) -> None:
        """Raises NoRoom."""
        with self._database.read() as db:
            count: int = db.execute(select(func.count()).select_from(units).where(units.c.candidate)).scalar_one()
        if count >= self._bounds.candidates and not self._removed_silent():
            raise NoRoom(f"{count} units were never provisioned: no further ones are recorded now")

    @property
    def asks_for_content(self) -> bool:
        """Whether ``make_room_for_content`` asks the store, or relies on what it knows."""
        return abs(self._now() - self._content[1]) > _CONTENT_NS

    def make_room_for_content(self) -> None:
        """For events and documents of candidates. Raises NoRoom."""
        now_ns = self._now()
        if self.asks_for_content:
            with self._database.read() as db:
                size = _candidate_bytes(db)
            self._content = (size <= self._bounds.candidate_bytes or self._removed_silent(), now_ns)
        if not self._content[0]:
            raise NoRoom("units that were never provisioned have sent too much: no more of them is recorded now")

    def make_room_for_certificate(self) -> None:
        """Of a unit that was not provisioned here: certificates are never removed. Raises NoRoom."""
        stored = select(func.coalesce(func.sum(func.length(erasures.c.certificate)), 0)).join_from(erasures, units)
        with self._database.read() as db:
            size: int = db.execute(stored.where(~units.c.sealed)).scalar_one()
        if size >= self._bounds.certificate_bytes:
            raise NoRoom(
                "erase certificates of units that were not provisioned here take all the room that they may:"
                " no more of them are issued until certificate_mebibytes of [limits] is raised"
            )

    def _removed_silent(self) -> bool:
        """Remove the candidates that have been silent for the longest time. False: each has reported lately."""
        silent = units.c.candidate, units.c.last_seen_ns < self._now() - SILENT_NS
        with self._database.write() as db:
            chosen = select(units.c.id).where(*silent).order_by(units.c.last_seen_ns).limit(_REMOVED_AT_ONCE)
            found = db.execute(chosen).scalars().all()
            for unit in found:
                remove_unit(db, unit)
        return bool(found)

    def sweep(self) -> None:
        """Remove the contents of documents that were discarded long ago, or that are too large together."""
        with self._database.read() as db:
            due = _discarded_due(db, self._bounds, self._now())
        if due:
            with self._database.write() as db:
                db.execute(update(documents).where(documents.c.id.in_(due)).values(content="", size=0))


def cut_log(db: Connection, unit: int, most: int) -> None:
    """Remove the oldest events of a unit whose log has more than ``most`` bytes."""
    size: int = db.execute(select(units.c.log_bytes).where(units.c.id == unit)).scalar_one()
    if size <= most:
        return
    excess = size - most + most // _CUT
    oldest = select(events.c.seq, func.length(events.c.body).label("size")).where(events.c.unit == unit)
    through = 0
    for row in db.execute(oldest.order_by(events.c.seq).limit(EVENTS_KEPT)):
        if excess <= 0:
            break
        excess -= row.size + EVENT_BYTES
        through = row.seq
    remove_events(db, unit, through)


def forget_discarded(db: Connection, unit: int) -> None:
    """Remove the oldest records of a unit's discarded documents beyond those that are kept."""
    discarded = documents.c.unit == unit, documents.c.status == DocumentStatus.DISCARDED.value
    beyond = select(documents.c.id).where(*discarded).order_by(documents.c.id.desc()).offset(DISCARDED_KEPT).limit(1)
    db.execute(delete(documents).where(*discarded, documents.c.id <= beyond.scalar_subquery()))


def remove_unit(db: Connection, unit: int) -> None:
    """With all that refers to it."""
    for table in reversed(TABLES.sorted_tables):
        for column in _columns_for_units(table):
            db.execute(delete(table).where(column == unit))
    db.execute(delete(units).where(units.c.id == unit))


def _columns_for_units(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if any(key.column is units.c.id for key in column.foreign_keys)]


def _candidate_bytes(db: Connection) -> int:
    logs = select(func.coalesce(func.sum(units.c.log_bytes), 0)).where(units.c.candidate)
    texts = select(func.coalesce(func.sum(documents.c.size), 0)).join_from(documents, units).where(units.c.candidate)
    return int(db.execute(logs).scalar_one()) + int(db.execute(texts).scalar_one())


def _discarded_due(db: Connection, bounds: StoreBounds, now_ns: int) -> list[int]:
    """Row numbers of discarded documents whose content is to be removed."""
    with_content = documents.c.status == DocumentStatus.DISCARDED.value, documents.c.size > 0
    columns = documents.c.id, documents.c.size, documents.c.decided_ns
    due, kept = [], 0
    for row in db.execute(select(*columns).where(*with_content).order_by(documents.c.id.desc())):
        kept += row.size
        if kept > bounds.discarded_bytes or (row.decided_ns or 0) < now_ns - bounds.discarded_ns:
            due.append(row.id)
    return due
