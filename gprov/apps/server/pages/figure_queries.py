"""Numbers over many units, of a span of time that the caller bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from gprov.apps.server.pages.unit_queries import errors_of
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import states, units
from gprov.domain.events import ProcessState
from gprov.domain.factory.states import Verdict

# Reports that are looked at one by one; of more, the newest.
MOST = 5000
_APPLIED = states.c.verdict == Verdict.APPLIED.value


@dataclass(frozen=True, slots=True)
class Tally:
    """``units``: how many different ones reported that state in that part (from 0) of the span."""

    part: int
    state: ProcessState
    units: int


@dataclass(frozen=True, slots=True)
class Failure:
    code_name: str
    state: ProcessState
    error: str


@dataclass(frozen=True, slots=True)
class Duration:
    code_name: str
    duration_ns: int


class FigureQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def tallies(self, since_ns: int, part_ns: int) -> Sequence[Tally]:
        part = ((states.c.received_ns - since_ns) // part_ns).label("part")
        counted = func.count(states.c.unit.distinct()).label("units")
        asked = select(part, states.c.state, counted).where(states.c.received_ns >= since_ns, _APPLIED)
        with self._database.read() as db:
            rows = db.execute(asked.group_by(part, states.c.state))
            return [Tally(int(row.part), ProcessState(row.state), row.units) for row in rows]

    def platforms(self, since_ns: int) -> Sequence[tuple[str, ProcessState, int]]:
        """How many different units of each code name reported each state."""
        counted = func.count(states.c.unit.distinct()).label("units")
        joined = select(units.c.code_name, states.c.state, counted).join(units, units.c.id == states.c.unit)
        where = (states.c.received_ns >= since_ns, _APPLIED)
        with self._database.read() as db:
            rows = db.execute(joined.where(*where).group_by(units.c.code_name, states.c.state))
            return [(row.code_name, ProcessState(row.state), row.units) for row in rows]

    def failures(self, since_ns: int, failed: Sequence[ProcessState]) -> Sequence[Failure]:
        """At most ``MOST``, newest first."""
        columns = select(units.c.code_name, states.c.state, states.c.session)
        joined = columns.join(units, units.c.id == states.c.unit)
        where = (states.c.received_ns >= since_ns, states.c.state.in_([state.value for state in failed]), _APPLIED)
        with self._database.read() as db:
            rows = db.execute(joined.where(*where).order_by(states.c.received_ns.desc()).limit(MOST)).all()
            errors: dict[int, str] = {}
            sessions = sorted({row.session for row in rows})
            for at in range(0, len(sessions), 500):
                errors |= errors_of(db, sessions[at : at + 500])
        return [Failure(row.code_name, ProcessState(row.state), errors.get(row.session, "")) for row in rows]

    def durations(self, since_ns: int, began: ProcessState, ended: ProcessState) -> Sequence[Duration]:
        """Of runs that ended since then, from the last report of the same session that they began. At most ``MOST``,
        newest first."""
        where = (states.c.received_ns >= since_ns, states.c.state == ended.value, _APPLIED)
        ends = select(states).where(*where).order_by(states.c.received_ns.desc()).limit(MOST).subquery()
        earlier = states.alias()
        same = and_(
            earlier.c.session == ends.c.session,
            earlier.c.id < ends.c.id,
            earlier.c.state == began.value,
            earlier.c.verdict == Verdict.APPLIED.value,
        )
        duration = (ends.c.received_ns - func.max(earlier.c.received_ns)).label("duration")
        joined = select(units.c.code_name, duration).select_from(ends).join(earlier, same)
        grouped = joined.join(units, units.c.id == ends.c.unit).group_by(
            ends.c.id, ends.c.received_ns, units.c.code_name
        )
        with self._database.read() as db:
            return [Duration(row.code_name, max(int(row.duration), 0)) for row in db.execute(grouped)]
