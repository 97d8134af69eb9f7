"""Lists of units out of the store: those that a filter asks for, newest report first, a page at a time.

No question counts or sorts all units: pages are found by an index on the time of the last report, from where the page
before ended.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, or_, select, tuple_

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.event_lines import short_text, stored_form, stored_text
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import events, macs, units
from gprov.domain.events import ProcessState
from gprov.domain.factory.states import FAILED
from gprov.domain.factory.syntax import MAX_NUMBER, whole_number
from gprov.domain.factory.view.unit_filters import Condition, Situation, UnitFilter, conditions
from gprov.domain.factory.view.unit_words import Patience

# As a literal: an index for errors alone is used only then.
IS_ERROR = events.c.type == literal_column("'ERROR'")
_PART_OF_MAC = re.compile(r"[0-9a-f:-]{2,17}", re.IGNORECASE)
_BATCH = 500
# Units whose reports change the version of all: as many as a page shows.
_WATCHED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUnit:
    """``error``: text of the last ERROR of the session that reported a failure, "" for other units. ``last_line``: what
    the unit logged last. ``concern``: why a person has to look at the unit, whatever its state is; "": no reason."""

    row: int
    serial: str
    code_name: str
    state: ProcessState
    state_ns: int
    session: int | None
    provisioning: ProcessState
    first_seen_ns: int
    last_seen_ns: int
    concern: str = ""
    error: str = ""
    last_line: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: time of the last report, and row, of its last unit."""

    last_seen_ns: int
    row: int

    @property
    def text(self) -> str:
        return f"{self.last_seen_ns}-{self.row}"


def parse_cursor(text: str) -> Cursor | None:
    seen, _, row = text.partition("-")
    last_seen_ns, number = whole_number(seen, 0, MAX_NUMBER), whole_number(row, 0, MAX_NUMBER)
    return None if last_seen_ns is None or number is None else Cursor(last_seen_ns, number)


@dataclass(frozen=True, slots=True)
class UnitPage:
    """``next``: None if these are the last ones."""

    units: Sequence[StoredUnit]
    next: Cursor | None


class UnitQueries:
    """``now``: the server's clock, UTC, ns."""

    def __init__(self, database: Database, now: Callable[[], int], patience: Patience) -> None:
        self._database = database
        self._now = now
        self.patience = patience

    def page(self, asked: UnitFilter, limit: int, after: Cursor | None = None) -> UnitPage:
        with self._database.read() as db:
            return self._page(db, asked, limit, after)

    def all(self, asked: UnitFilter) -> Iterator[Sequence[StoredUnit]]:
        """In batches, each a consistent view."""
        after: Cursor | None = None
        while True:
            page = self.page(asked, _BATCH, after)
            yield page.units
            if page.next is None:
                return
            after = page.next

    def since(self, time_ns: int, most: int) -> Sequence[StoredUnit]:
        """Units with a report since then, newest first."""
        columns = select(units).where(units.c.last_seen_ns >= time_ns)
        with self._database.read() as db:
            rows = db.execute(columns.order_by(units.c.last_seen_ns.desc(), units.c.id.desc()).limit(most)).all()
            return _complete(db, rows)

    def one(self, serial: str) -> StoredUnit | None:
        with self._database.read() as db:
            rows = db.execute(select(units).where(units.c.serial == serial)).all()
            return next(iter(_complete(db, rows)), None)

    def platforms(self) -> Sequence[str]:
        """Code names that units have reported."""
        with self._database.read() as db:
            names = db.execute(select(units.c.code_name).distinct().order_by(units.c.code_name)).scalars()
            return [name for name in names if name]

    def macs(self, rows: Collection[int]) -> Mapping[int, tuple[Sequence[str], Sequence[str]]]:
        """By row of the unit: MACs of its interfaces, and of its management controller."""
        found: dict[int, tuple[list[str], list[str]]] = {row: ([], []) for row in rows}
        columns = select(macs.c.unit, macs.c.bmc, macs.c.mac).where(macs.c.unit.in_(rows))
        with self._database.read() as db:
            for unit, bmc, mac in db.execute(columns.order_by(macs.c.unit, macs.c.position)):
                found[unit][bool(bmc)].append(mac)
        return found

    def version(self, serial: str) -> str:
        """Changes with every report: of the unit, or of any unit if ``serial`` is "". It is a digest of the newest
        units: the clocks of several servers may differ, so the report that came last need not have the latest time."""
        columns = select(units.c.last_seen_ns, units.c.id, units.c.last_seq, units.c.state)
        if serial:
            newest = columns.where(units.c.serial == serial)
        else:
            newest = columns.order_by(units.c.last_seen_ns.desc(), units.c.id.desc()).limit(_WATCHED)
        with self._database.read() as db:
            rows = [list(row) for row in db.execute(newest)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]

    def _page(self, db: Connection, asked: UnitFilter, limit: int, after: Cursor | None) -> UnitPage:
        wanted = select(units).where(*self._where(asked))
        if after is not None:
            wanted = wanted.where(tuple_(units.c.last_seen_ns, units.c.id) < tuple_(after.last_seen_ns, after.row))
        ordered = wanted.order_by(units.c.last_seen_ns.desc(), units.c.id.desc())
        rows = db.execute(ordered.limit(limit + 1)).all()
        shown = _complete(db, rows[:limit])
        more = len(rows) > limit
        return UnitPage(shown, Cursor(shown[-1].last_seen_ns, shown[-1].row) if more else None)

    def _where(self, asked: UnitFilter) -> Iterator[ColumnElement[bool]]:
        if asked.text:
            yield _text_condition(asked.text)
        if asked.error:
            part = events.c.body.icontains(stored_form(asked.error), autoescape=True)
            yield units.c.id.in_(select(events.c.unit).where(IS_ERROR, part))
        if asked.platform:
            yield units.c.code_name == asked.platform
        if (since_ns := asked.since_ns) is not None:
            yield units.c.last_seen_ns >= since_ns
        if (until_ns := asked.until_ns) is not None:
            yield units.c.last_seen_ns < until_ns
        found = conditions(asked.situation, self._now(), self.patience)
        if found is not None:
            concerned = (units.c.concern != "",) if asked.situation is Situation.ATTENTION else ()
            yield or_(*(and_(*_bounds(each)) for each in found), *concerned)


def _text_condition(text: str) -> ColumnElement[bool]:
    found = [units.c.serial.icontains(text, autoescape=True), units.c.code_name.icontains(text, autoescape=True)]
    if _PART_OF_MAC.fullmatch(text):
        found.append(units.c.id.in_(select(macs.c.unit).where(macs.c.mac.contains(_mac_part(text), autoescape=True))))
    return or_(*found)


def _mac_part(text: str) -> str:
    """As it is stored; a whole address may be written without separators."""
    plain = text.lower().replace("-", ":")
    if re.fullmatch("[0-9a-f]{12}", plain):
        return ":".join(plain[at : at + 2] for at in range(0, 12, 2))
    return plain


def _bounds(condition: Condition) -> Iterator[ColumnElement[bool]]:
    yield units.c.state.in_(sorted(state.value for state in condition.states))
    if condition.seen_from_ns is not None:
        yield units.c.last_seen_ns >= condition.seen_from_ns
    if condition.seen_before_ns is not None:
        yield units.c.last_seen_ns < condition.seen_before_ns
    if condition.state_from_ns is not None:
        yield units.c.state_ns >= condition.state_from_ns
    if condition.state_before_ns is not None:
        yield units.c.state_ns < condition.state_before_ns


def _complete(db: Connection, rows: Sequence[AnyRow]) -> Sequence[StoredUnit]:
    found = [_stored(row) for row in rows]
    errors = errors_of(db, {unit.session for unit in found if unit.state in FAILED and unit.session is not None})
    lines = _last_lines(db, [unit.row for unit in found])
    return [
        replace(
            unit,
            error=errors.get(unit.session, "") if unit.state in FAILED and unit.session is not None else "",
            last_line=lines.get(unit.row, ""),
        )
        for unit in found
    ]


def errors_of(db: Connection, sessions: Collection[int]) -> Mapping[int, str]:
    """The last error of each of these sessions (rows) that reported one."""
    last = (
        select(events.c.session, func.max(events.c.number).label("number"))
        .where(IS_ERROR, events.c.session.in_(sessions))
        .group_by(events.c.session)
        .subquery()
    )
    same = and_(events.c.session == last.c.session, events.c.number == last.c.number)
    rows = db.execute(select(events.c.session, events.c.type, events.c.body).join(last, same))
    return {session: stored_text(kind, body) for session, kind, body in rows}


def _last_lines(db: Connection, rows: Sequence[int]) -> Mapping[int, str]:
    last = and_(events.c.unit == units.c.id, events.c.seq == units.c.last_seq)
    found = db.execute(select(units.c.id, events.c.type, events.c.body).join(events, last).where(units.c.id.in_(rows)))
    return {row: short_text(kind, body) for row, kind, body in found}


def _stored(row: AnyRow) -> StoredUnit:
    return StoredUnit(
        row=row.id,
        serial=row.serial,
        code_name=row.code_name,
        state=ProcessState(row.state),
        state_ns=row.state_ns,
        session=row.state_session,
        provisioning=ProcessState(row.provisioning),
        first_seen_ns=row.first_seen_ns,
        last_seen_ns=row.last_seen_ns,
        concern=row.concern,
    )
