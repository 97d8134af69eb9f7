"""Events as JSON: one object each, told apart by ``type``.

Every event has ``number`` (order within its session), ``time_ns`` and ``type``. LOG, MSG, WARNING and ERROR have
``text``; PROGRESS has ``task``, ``done``, ``total``; STATE has ``state``; STEP has ``description``, ``phase``,
``elapsed_ns`` and ``error``; MILESTONE has ``name`` and ``uptime_ns``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import assert_never

from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    ProcessState,
    Progress,
    Severity,
    StateChange,
    Step,
    StepPhase,
)
from gprov.domain.factory.syntax import MAX_LABEL, MAX_NUMBER, MAX_TEXT, clean, free_text
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json

STATES = {state.value: state for state in ProcessState}
_SEVERITIES = {severity.value: severity for severity in Severity}
_PHASES = {phase.value: phase for phase in StepPhase}
_TYPES = {name: name for name in (*_SEVERITIES, "PROGRESS", "STATE", "STEP", "MILESTONE")}


def event_type(body: Body) -> str:
    match body:
        case LogLine():
            return body.severity.value
        case Progress():
            return "PROGRESS"
        case StateChange():
            return "STATE"
        case Step():
            return "STEP"
        case Milestone():
            return "MILESTONE"
        case _:
            assert_never(body)


def describe(body: Body) -> str:
    """One line for a person."""
    match body:
        case LogLine():
            return body.text
        case Progress():
            return f"{body.task}: {body.done} of {body.total}" if body.total else f"{body.task}: {body.done}"
        case StateChange():
            return body.state.value
        case Step():
            took = f" after {body.seconds:.1f} s" if body.seconds else ""
            reason = f": {body.error}" if body.error else ""
            return f"{body.description}: {body.phase.value}{took}{reason}"
        case Milestone():
            return f"{body.name} at {body.uptime:.2f} s"
        case _:
            assert_never(body)


def bounded(event: Event) -> Event:
    """The event itself, or with an overlong log text cut: what a queue may hold."""
    if isinstance(event.body, LogLine) and len(event.body.text) > MAX_TEXT:
        return replace(event, body=replace(event.body, text=clean(event.body.text, MAX_TEXT)))
    return event


def encode_event(event: Event) -> dict[str, Json]:
    """Total: whatever the event holds, the result is what ``decode_event`` accepts."""
    return {
        "number": _number(event.number),
        "time_ns": _number(event.time_ns),
        "type": event_type(event.body),
        **encode_body(event.body),
    }


def encode_body(body: Body) -> dict[str, Json]:
    """What the type adds to number, time and type."""
    match body:
        case LogLine():
            return {"text": clean(body.text, MAX_TEXT)}
        case Progress():
            return {"task": clean(body.task, MAX_LABEL), "done": _number(body.done), "total": _number(body.total)}
        case StateChange():
            return {"state": body.state.value}
        case Step():
            return {
                "description": clean(body.description, MAX_LABEL),
                "phase": body.phase.value,
                "elapsed_ns": _nanoseconds(body.seconds),
                "error": clean(body.error, MAX_TEXT),
            }
        case Milestone():
            return {"name": clean(body.name, MAX_LABEL), "uptime_ns": _nanoseconds(body.uptime)}
        case _:
            assert_never(body)


def decode_event(obj: JsonObject) -> Event | None:
    """None if problems were noted."""
    before = len(obj.problems)
    number, time_ns = _count(obj, "number"), _count(obj, "time_ns")
    body = decode_body(obj)
    return Event(number, time_ns, body) if len(obj.problems) == before else None


def decode_body(obj: JsonObject) -> Body:
    """Problems are noted in ``obj``; the value returned then is of no use."""
    kind = obj.one_of("type", _TYPES, "", required=True)
    match kind:
        case "PROGRESS":
            return Progress(free_text(obj, "task", MAX_LABEL), _count(obj, "done"), _count(obj, "total"))
        case "STATE":
            return StateChange(obj.one_of("state", STATES, ProcessState.UNKNOWN, required=True))
        case "STEP":
            return Step(
                free_text(obj, "description", MAX_LABEL),
                obj.one_of("phase", _PHASES, StepPhase.STARTED, required=True),
                _count(obj, "elapsed_ns") / 1e9,
                free_text(obj, "error", MAX_TEXT),
            )
        case "MILESTONE":
            return Milestone(free_text(obj, "name", MAX_LABEL), _count(obj, "uptime_ns") / 1e9)
        case "":
            return LogLine("")
        case _:
            return LogLine(free_text(obj, "text", MAX_TEXT), _SEVERITIES[kind])


def _count(obj: JsonObject, key: str) -> int:
    return obj.integer(key, required=True, least=0, most=MAX_NUMBER)


def _number(value: int) -> int:
    return min(max(value, 0), MAX_NUMBER)


def _nanoseconds(seconds: float) -> int:
    return round(min(max(seconds, 0.0), 1e9) * 1e9) if math.isfinite(seconds) else 0
