"""Options of an erase as one kernel argument: ``DATA_ERASE_OPTIONS=KEY:VALUE,KEY:VALUE…``.

``technique:T`` only this one · ``opt-in:T`` may occur several times · ``level:L`` · ``scheme:S`` · ``read-back:R`` ·
``on-failure:F`` · ``keep-raid-metadata:yes|no``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import TypeVar

from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.errors import BadInput, Problem

E = TypeVar("E", bound=Enum)

_WHAT = "DATA_ERASE_OPTIONS"
_SWITCH = {"yes": True, "no": False}


def parse_request(text: str, default: EraseRequest) -> EraseRequest:
    """``default``: what holds without options. Raises BadInput with every problem: an option that is not understood
    must not be left out."""
    problems: list[Problem] = []
    request = default
    for word in text.split(","):
        if not word.strip():
            continue
        key, _, value = word.strip().lower().partition(":")
        try:
            request = _with(request, key, value)
        except ValueError as exc:
            problems.append(Problem(key, str(exc)))
    if problems:
        raise BadInput(_WHAT, problems)
    return request


def _with(request: EraseRequest, key: str, value: str) -> EraseRequest:
    """Raises ValueError."""
    match key:
        case "technique":
            return replace(request, technique=_member(Technique, value))
        case "opt-in":
            technique = _member(Technique, value)
            if not TECHNIQUES[technique].opt_in:
                raise ValueError(f"{value} is used without being asked for")
            return replace(request, opted_in=request.opted_in | {technique})
        case "level":
            return replace(request, level=_member(Level, value))
        case "scheme":
            return replace(request, scheme=_member(Scheme, value))
        case "read-back":
            return replace(request, read_back=_member(ReadBack, value))
        case "on-failure":
            return replace(request, on_failure=_member(OnFailure, value))
        case "keep-raid-metadata":
            return replace(request, keep_raid_metadata=_known(_SWITCH, value))
        case _:
            raise ValueError("unknown option")


def _member(kind: type[E], text: str) -> E:
    return _known({str(member.value).replace(" ", "-"): member for member in kind}, text)


T = TypeVar("T")


def _known(values: Mapping[str, T], text: str) -> T:
    if text not in values:
        raise ValueError(f"{text!r} is none of {', '.join(values)}")
    return values[text]
