"""Options of an erase as one kernel argument: ``DATA_ERASE_OPTIONS=KEY:VALUE,KEY:VALUE…``.

``technique:T`` only this one · ``opt-in:T`` may occur several times · ``level:L`` · ``scheme:S`` · ``read-back:R`` ·
``on-failure:F`` · ``keep-raid-metadata:yes|no`` · ``clear-uefi-variables:yes|no`` · ``uefi-variable:NAME-GUID`` or
``uefi-variable:GUID`` may occur several times · ``clear-tpm:yes|no`` · ``unrecorded:yes|no``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import TypeVar

from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.erase.variable_choice import parse_choice
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
        key, _, value = word.strip().partition(":")
        try:
            request = _with(request, key.lower(), value)
        except ValueError as exc:
            problems.append(Problem(key, str(exc)))
    if problems:
        raise BadInput(_WHAT, problems)
    return request


def _with(request: EraseRequest, key: str, value: str) -> EraseRequest:
    """Raises ValueError."""
    if key == "uefi-variable":
        # Capitals are part of a variable's name.
        chosen = tuple(dict.fromkeys((*request.uefi_variables, parse_choice(value))))
        return replace(request, clear_uefi_variables=True, uefi_variables=chosen)
    return _with_word(request, key, value.lower())


def _with_word(request: EraseRequest, key: str, value: str) -> EraseRequest:
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
        case _:
            return _with_switch(request, key, value)


def _with_switch(request: EraseRequest, key: str, value: str) -> EraseRequest:
    """Raises ValueError."""
    match key:
        case "keep-raid-metadata":
            return replace(request, keep_raid_metadata=_known(_SWITCH, value))
        case "clear-uefi-variables":
            wanted = _known(_SWITCH, value)
            if request.uefi_variables and not wanted:
                raise ValueError("contradicts uefi-variable")
            return replace(request, clear_uefi_variables=wanted)
        case "clear-tpm":
            return replace(request, clear_tpm=_known(_SWITCH, value))
        case "unrecorded":
            return replace(request, unrecorded=_known(_SWITCH, value))
        case _:
            raise ValueError("unknown option")


def _member(kind: type[E], text: str) -> E:
    return _known({str(member.value).replace(" ", "-"): member for member in kind}, text)


T = TypeVar("T")


def _known(values: Mapping[str, T], text: str) -> T:
    if text not in values:
        raise ValueError(f"{text!r} is none of {', '.join(values)}")
    return values[text]
