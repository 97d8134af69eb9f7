"""Schemas of messages, with a JSON schema validator as oracle: a schema accepts what the parser accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gprov.domain.errors import BadInput
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
from gprov.domain.factory.events import FIELDS, event_type
from gprov.domain.factory.messages import encode, schema
from gprov.domain.factory.requests import (
    REQUESTS,
    CodeNameReport,
    CredentialRequest,
    Document,
    EventBatch,
    MacReport,
    NamedMac,
    Request,
    Sender,
    StateReport,
    decode,
)

SENDER = Sender("SN 1", "0123456789abcdef" * 2)
BODIES: tuple[Body, ...] = (
    *(LogLine("text", severity) for severity in Severity),
    Progress("task", 1, 2),
    *(StateChange(state) for state in ProcessState),
    *(OperationReport("step", phase, 1.5, "why") for phase in OperationPhase),
    Milestone("name", 1.5),
)
MESSAGES: tuple[Request, ...] = (
    EventBatch(SENDER, tuple(Event(number, 1, body) for number, body in enumerate(BODIES))),
    StateReport(SENDER, ProcessState.FR_FAILED),
    CodeNameReport(SENDER, "QEMU"),
    MacReport(SENDER, (NamedMac("eth0", "56:78:90:00:00:01"),), ("56:78:90:00:00:02",)),
    Document(SENDER, "qa", "text"),
    CredentialRequest(SENDER),
)
VALIDATORS = {request: Draft202012Validator(schema(request)) for request in REQUESTS}

# Each event type in a message of its own.
SMALL = (
    *(EventBatch(SENDER, (Event(1, 1, body),)) for body in (BODIES[0], *BODIES[-6:])),
    *MESSAGES[1:],
)
SIZES = (0, 1, 63, 64, 65, 99, 100, 101, 499, 500, 501, 8191, 8192, 8193)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.text(" !~a0:-\t\n\x00\x7f\x85", max_size=6),
    st.builds("x".__mul__, st.sampled_from(SIZES)),
    st.sampled_from(["MFG_STARTED", "SONG", "LOG", "STEP", "done", "0" * 32, "A" * 32, "0" * 33]),
    st.sampled_from(["aa:BB:cc:00:11:22", "aa-BB-cc-00-11-22", "aa:BB:cc:00:11", "aa:BB:cc:00:11:2g"]),
)
BOUNDARIES: tuple[object, ...] = (
    *(0, -1, 1, 2**63 - 1, 2**63, 2**70, 1.5, True, {}, []),
    *("x" * size for size in SIZES),
    *(" ", "x ", " x", "a b", "\t", "a\nb", "\x7f", "ä"),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a message with each of its keys."""
    if not isinstance(value, (dict, list)):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.what)
def test_every_message_is_valid(message: Request) -> None:
    VALIDATORS[type(message)].validate(json.loads(encode(message)))


@pytest.mark.parametrize("message", SMALL, ids=repr)
def test_a_schema_has_the_limits_of_the_parser(message: Request) -> None:
    for index in range(len(places(json.loads(encode(message))))):
        for value in BOUNDARIES:
            document = json.loads(encode(message))
            container, key = places(document)[index]
            container[key] = value
            assert VALIDATORS[type(message)].is_valid(document) == _accepted(type(message), document), (key, value)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SMALL), texts, st.data())
def test_a_schema_accepts_the_texts_that_the_parser_accepts(message: Request, value: str, data: st.DataObject) -> None:
    document = json.loads(encode(message))
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = value
    assert VALIDATORS[type(message)].is_valid(document) == _accepted(type(message), document)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.what)
def test_a_missing_member_is_missing_in_both(message: Request) -> None:
    for index in range(len(places(json.loads(encode(message))))):
        document = json.loads(encode(message))
        container, key = places(document)[index]
        if isinstance(container, dict):
            del container[key]
            assert VALIDATORS[type(message)].is_valid(document) == _accepted(type(message), document), key


@pytest.mark.parametrize(("request_type", "member", "item"), [(EventBatch, "events", 500), (MacReport, "bmc", 64)])
def test_lists_have_the_same_limit(request_type: type[Request], member: str, item: int) -> None:
    document = json.loads(encode(next(message for message in MESSAGES if type(message) is request_type)))
    for count, accepted in ((item, True), (item + 1, False)):
        document[member] = document[member][:1] * count
        assert VALIDATORS[request_type].is_valid(document) == _accepted(request_type, document) == accepted


def test_every_type_of_event_has_a_schema() -> None:
    assert set(FIELDS) == {event_type(body) for body in BODIES}


def _accepted(request: type[Request], document: object) -> bool:
    try:
        decode(request, json.dumps(document).encode())
    except BadInput:
        return False
    return True
