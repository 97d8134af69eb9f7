"""Parses the messages of a unit, single lines among other console output.

    GPROV-EVENT {"milestone": "init-started", "uptime": 2.17}      gprov's apps, on the console
    GPROV-EVENT {"state": "FR_SUCCEEDED"}                          a process state, treated as a milestone
    GPROV-LAB {"verdict": "multi-user", "uptime": 31.5, …}         the operating system, on the report port

Several writers share a console: the marker may be anywhere in a line, with kernel messages before it and other text
after the JSON object. A line with an incomplete object is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gprov.adapters.linux.events.milestones import TAG
from gprov.domain.formats.json.value import Json

_EVENT = f"{TAG} "
_VERDICT = "GPROV-LAB "
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class GuestMilestone:
    """``uptime``: seconds since the guest's kernel started, None if not given. ``facts``: all other keys."""

    name: str
    uptime: float | None
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class GuestReport:
    """Report of the unit's operating system after it started. ``verdict``: ``multi-user`` if all services run."""

    verdict: str
    uptime: float | None
    facts: Mapping[str, Json]


def milestones(console: bytes) -> tuple[GuestMilestone, ...]:
    """Return the milestones and states in the order of the console output."""
    events = _objects(console, _EVENT)
    found = (_message(facts, "milestone") or _message(facts, "state") for facts in events)
    return tuple(GuestMilestone(*fields) for fields in found if fields is not None)


def guest_report(report: bytes) -> GuestReport | None:
    """Return the last report, None if there is none."""
    found = [_message(facts, "verdict") for facts in _objects(report, _VERDICT)]
    complete = [fields for fields in found if fields is not None]
    return GuestReport(*complete[-1]) if complete else None


def _message(facts: Mapping[str, Json], key: str) -> tuple[str, float | None, Mapping[str, Json]] | None:
    name, uptime = facts.get(key), facts.get("uptime")
    if not isinstance(name, str) or not name:
        return None
    seconds = float(uptime) if isinstance(uptime, (int, float)) and not isinstance(uptime, bool) else None
    return name, seconds, {other: value for other, value in facts.items() if other not in (key, "uptime")}


def _objects(raw: bytes, marker: str) -> Iterable[Mapping[str, Json]]:
    for line in raw.decode(errors="replace").splitlines():
        _, found, rest = line.partition(marker)
        if found:
            value = _first_value(rest)
            if isinstance(value, dict):
                yield value


def _first_value(text: str) -> object:
    try:
        value: object = _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
    return value
