"""Which units a list shows: what a person asked for, and the conditions on stored values that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import urlencode

from gprov.domain.errors import BadInput, Problem
from gprov.domain.events import ProcessState
from gprov.domain.factory.states import FAILED, SUCCEEDED, flow_of
from gprov.domain.factory.view.unit_words import Patience

MAX_SEARCH = 100
_S = ProcessState
_RUNNING = frozenset(state for state in _S if flow_of(state) is not None and state not in FAILED | SUCCEEDED)
_PROVISIONED = frozenset({_S.MFG_SUCCEEDED})


class Situation(Enum):
    """Choices of a filter. The values stand in addresses of pages."""

    ANY = ""
    ATTENTION = "attention"
    FAILED = "failed"
    SILENT = "no-report"
    PROVISIONED = "provisioned"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    RUNNING = "running"
    RESTORED = "restored"
    STARTED = "started"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Situation.ANY: "all",
    Situation.ATTENTION: "needs a person",
    Situation.FAILED: "failed or aborted",
    Situation.SILENT: "no report",
    Situation.PROVISIONED: "provisioned, not restored in time",
    Situation.UNKNOWN: "unknown",
    Situation.WAITING: "waiting for the first restore",
    Situation.RUNNING: "running",
    Situation.RESTORED: "restored",
    Situation.STARTED: "started",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Holds if the state is one of ``states`` and all bounds hold, which are None if there are none. ``from`` includes
    the time, ``before`` does not."""

    states: frozenset[ProcessState]
    seen_from_ns: int | None = None
    seen_before_ns: int | None = None
    state_from_ns: int | None = None
    state_before_ns: int | None = None


def conditions(situation: Situation, now_ns: int, patience: Patience) -> tuple[Condition, ...] | None:
    """A unit is in that situation if one of them holds. None: every unit is."""
    silent_ns, restore_ns = now_ns - patience.silent_ns, now_ns - patience.restore_ns
    failed = Condition(states=FAILED)
    silent = Condition(states=_RUNNING, seen_before_ns=silent_ns)
    overdue = Condition(states=_PROVISIONED, state_before_ns=restore_ns)
    return {
        Situation.ANY: None,
        Situation.ATTENTION: (failed, silent, overdue),
        Situation.FAILED: (failed,),
        Situation.SILENT: (silent,),
        Situation.PROVISIONED: (overdue,),
        Situation.UNKNOWN: (Condition(states=frozenset({_S.UNKNOWN})),),
        Situation.WAITING: (Condition(states=_PROVISIONED, state_from_ns=restore_ns),),
        Situation.RUNNING: (Condition(states=_RUNNING, seen_from_ns=silent_ns),),
        Situation.RESTORED: (Condition(states=frozenset({_S.FR_SUCCEEDED})),),
        Situation.STARTED: (Condition(states=frozenset({_S.INIT_SUCCEEDED})),),
    }[situation]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFilter:
    """``text``: part of a serial number, code name or MAC. ``error``: part of the text of an error. ``platform``: a
    code name. ``since``, ``until``: times of the last report as they were typed, UTC; ``until`` is excluded."""

    text: str = ""
    error: str = ""
    situation: Situation = Situation.ANY
    platform: str = ""
    since: str = ""
    until: str = ""

    @property
    def since_ns(self) -> int | None:
        return parse_time(self.since)

    @property
    def until_ns(self) -> int | None:
        return parse_time(self.until)

    @property
    def empty(self) -> bool:
        return self == UnitFilter()

    def query(self, **more: str) -> str:
        """For an address: only what is set."""
        members = {
            "q": self.text,
            "error": self.error,
            "state": self.situation.value,
            "platform": self.platform,
            "since": self.since,
            "until": self.until,
        }
        return urlencode({key: value for key, value in (members | more).items() if value})


def read_filter(query: Mapping[str, str]) -> UnitFilter:
    """From the query of an address. Raises BadInput with every problem."""
    texts = {key: query.get(key, "").strip() for key in ("q", "error", "platform", "since", "until")}
    problems = [
        Problem(key, f"must have at most {MAX_SEARCH} characters, has {len(text)}")
        for key, text in texts.items()
        if len(text) > MAX_SEARCH
    ]
    problems += [
        Problem(key, "must be a time like 2026-11-30 or 2026-11-30 14:05 (UTC)")
        for key in ("since", "until")
        if texts[key] and parse_time(texts[key]) is None
    ]
    asked = query.get("state", "")
    situation = next((each for each in Situation if each.value == asked), None)
    if situation is None:
        problems.append(Problem("state", f"must be one of {', '.join(each.value for each in Situation if each.value)}"))
    if problems or situation is None:
        raise BadInput("filter", problems)
    return UnitFilter(
        text=texts["q"],
        error=texts["error"],
        situation=situation,
        platform=texts["platform"],
        since=texts["since"],
        until=texts["until"],
    )


def parse_time(text: str) -> int | None:
    """UTC, ns, of a day or a minute as forms and people write them. None: it is none, or beyond what is stored."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        seconds = int(utc.timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds * 10**9 if 0 <= seconds < 2**33 else None
