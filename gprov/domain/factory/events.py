"""Events as JSON objects: ``number``, ``time_ns`` and ``type``, and the members that the type adds (``FIELDS``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from typing_extensions import Doc, override

from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)
from gprov.domain.factory.fields import LogText, Schema
from gprov.domain.factory.messages import ObjectKind, object_schema, read, write
from gprov.domain.factory.syntax import MAX_LABEL, MAX_TEXT, clean
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json

_TEXT = LogText(MAX_TEXT)
_LABEL = LogText(MAX_LABEL)


@dataclass(frozen=True, slots=True)
class EventHead:
    """What every event has, besides its type."""

    number: Annotated[int, Doc("Order within the session; the same number again is ignored.")]
    time_ns: Annotated[int, Doc("UTC, nanoseconds since 1970, by the unit's clock")]


@dataclass(frozen=True, slots=True)
class LogFields:
    text: Annotated[str, _TEXT]


@dataclass(frozen=True, slots=True)
class ProgressFields:
    task: Annotated[str, _LABEL]
    done: int
    total: Annotated[int, Doc("0: not known")]


@dataclass(frozen=True, slots=True)
class StateFields:
    state: ProcessState


@dataclass(frozen=True, slots=True)
class StepFields:
    description: Annotated[str, _LABEL]
    phase: OperationPhase
    elapsed_ns: int
    error: Annotated[str, _TEXT, Doc("Empty unless failed")]


@dataclass(frozen=True, slots=True)
class MilestoneFields:
    name: Annotated[str, _LABEL]
    uptime_ns: Annotated[int, Doc("Since the kernel started")]


Fields = LogFields | ProgressFields | StateFields | StepFields | MilestoneFields
_SEVERITIES = {severity.value: severity for severity in Severity}
# Every value of ``type``.
FIELDS: Mapping[str, type[Fields]] = {
    **dict.fromkeys(_SEVERITIES, LogFields),
    "PROGRESS": ProgressFields,
    "STATE": StateFields,
    "STEP": StepFields,
    "MILESTONE": MilestoneFields,
}
_TYPE = "type"
_TYPES = {name: name for name in FIELDS}


class EventObject(ObjectKind[Event]):
    """An event of a message."""

    @override
    def parse(self, obj: JsonObject) -> Event:
        head = read(EventHead, obj)
        return Event(head.number, head.time_ns, decode_body(obj))

    @override
    def write(self, value: Event) -> Json:
        return encode_event(value)

    @override
    def schema(self) -> Schema:
        variants = [object_schema(kind, EventHead, part, constants={_TYPE: kind}) for kind, part in FIELDS.items()]
        return {"oneOf": variants}


def event_type(body: Body) -> str:
    match body:
        case LogLine():
            return body.severity.value
        case Progress():
            return "PROGRESS"
        case StateChange():
            return "STATE"
        case OperationReport():
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
        case OperationReport():
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
    """Total: whatever the event holds, the result can be read."""
    head = EventHead(event.number, event.time_ns)
    return {**write(head), _TYPE: event_type(event.body), **encode_body(event.body)}


def encode_body(body: Body) -> dict[str, Json]:
    """What the type adds to number, time and type."""
    if isinstance(body, LogLine):  # most are, and this is faster
        return {"text": _TEXT.write(body.text)}
    return write(_fields(body))


def decode_body(obj: JsonObject) -> Body:
    """If problems are noted in ``obj``, the body is of no use."""
    kind = obj.one_of(_TYPE, _TYPES, "", required=True)
    return _body(kind, read(FIELDS[kind], obj)) if kind else LogLine("")


def _fields(body: Body) -> Fields:
    match body:
        case LogLine():
            return LogFields(body.text)
        case Progress():
            return ProgressFields(body.task, body.done, body.total)
        case StateChange():
            return StateFields(body.state)
        case OperationReport():
            return StepFields(body.description, body.phase, _nanoseconds(body.seconds), body.error)
        case Milestone():
            return MilestoneFields(body.name, _nanoseconds(body.uptime))
        case _:
            assert_never(body)


def _body(kind: str, fields: Fields) -> Body:
    match fields:
        case LogFields():
            return LogLine(fields.text, _SEVERITIES[kind])
        case ProgressFields():
            return Progress(fields.task, fields.done, fields.total)
        case StateFields():
            return StateChange(fields.state)
        case StepFields():
            return OperationReport(fields.description, fields.phase, fields.elapsed_ns / 1e9, fields.error)
        case MilestoneFields():
            return Milestone(fields.name, fields.uptime_ns / 1e9)
        case _:
            assert_never(fields)


def _nanoseconds(seconds: float) -> int:
    return round(min(max(seconds, 0.0), 1e9) * 1e9) if math.isfinite(seconds) else 0
