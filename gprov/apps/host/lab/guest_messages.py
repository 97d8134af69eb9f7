"""What units say about themselves, as single lines amid whatever else is on a console.

    GPROV-EVENT {"milestone": "init-started", "uptime": 2.17}      gprov's apps, on the console
    GPROV-EVENT {"state": "FR_SUCCEEDED"}                          the same; a milestone too
    GPROV-LAB {"verdict": "multi-user", "uptime": 31.5, …}         the operating system, on the report port

A console mixes writers: the marker may stand anywhere in a line, with kernel messages before it and anything behind
the JSON object. A line whose object is torn is no statement; whoever needed it will find it missing.
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
    """``uptime``: seconds since the guest's kernel started; None if the unit did not say. ``facts``: the rest."""

    name: str
    uptime: float | None
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class GuestReport:
    """What the operating system of the unit found about itself once it was up."""

    verdict: str
    uptime: float | None
    facts: Mapping[str, Json]


def milestones(console: bytes) -> tuple[GuestMilestone, ...]:
    """In the order in which they were said."""
    events = _objects(console, _EVENT)
    found = (_statement(facts, "milestone") or _statement(facts, "state") for facts in events)
    return tuple(GuestMilestone(*each) for each in found if each is not None)


def guest_report(report: bytes) -> GuestReport | None:
    """The last verdict; None if there is none."""
    found = [_statement(facts, "verdict") for facts in _objects(report, _VERDICT)]
    said = [each for each in found if each is not None]
    return GuestReport(*said[-1]) if said else None


def _statement(facts: Mapping[str, Json], key: str) -> tuple[str, float | None, Mapping[str, Json]] | None:
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
