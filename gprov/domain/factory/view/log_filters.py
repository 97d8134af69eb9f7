"""Which lines of a unit's log a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.events import FIELDS
from gprov.domain.factory.view.unit_filters import MAX_SEARCH, parse_time

# Besides the types that units post: notes of the server, and a choice of those that tell people the course of things.
SERVER = "SERVER"
PEOPLE = "people"
TYPES = (*FIELDS, SERVER)
FOR_PEOPLE = tuple(kind for kind in TYPES if kind not in {"LOG", "PROGRESS", "MILESTONE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """``kind``: one of ``TYPES``, ``PEOPLE``, or "" for all. ``session``: its number as typed. Times: when the server
    got the line, as they were typed; ``until`` is excluded."""

    kind: str = ""
    session: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Empty: all."""
        if self.kind == PEOPLE:
            return FOR_PEOPLE
        return (self.kind,) if self.kind else ()

    @property
    def empty(self) -> bool:
        return self == LogFilter()

    def members(self) -> dict[str, str]:
        """For an address: only what is set."""
        members = {
            "type": self.kind,
            "session": self.session,
            "text": self.text,
            "since": self.since,
            "until": self.until,
        }
        return {key: value for key, value in members.items() if value}

    def query(self) -> str:
        return urlencode(self.members())


def read_log_filter(query: Mapping[str, str]) -> LogFilter:
    """From the query of an address. Raises BadInput with every problem."""
    problems = []
    kind, session, text = (query.get(key, "").strip() for key in ("type", "session", "text"))
    if kind not in {"", PEOPLE, *TYPES}:
        problems.append(Problem("type", f"must be one of {', '.join((PEOPLE, *TYPES))}"))
    if session and not (session.isascii() and session.isdecimal() and len(session) <= 9):
        problems.append(Problem("session", "must be a number from 1"))
    if len(text) > MAX_SEARCH:
        problems.append(Problem("text", f"must have at most {MAX_SEARCH} characters, has {len(text)}"))
    times = {key: query.get(key, "").strip() for key in ("since", "until")}
    problems += [
        Problem(key, "must be a time like 2026-11-30 or 2026-11-30 14:05 (UTC)")
        for key, value in times.items()
        if value and parse_time(value) is None
    ]
    if problems:
        raise BadInput("filter of the log", problems)
    return LogFilter(kind=kind, session=session, text=text, **times)
