"""Events as JSON: every event of a unit can be read by the server, and every other message is an error."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, Problem
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
from gprov.domain.factory.events import EventObject, bounded, describe, encode_event
from gprov.domain.factory.messages import encode, to_bytes
from gprov.domain.factory.requests import EventBatch, Sender, decode
from gprov.domain.factory.syntax import MAX_TEXT, clean
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import read_object

SENDER = Sender("SN-1", "0123456789abcdef" * 2)
anything = st.text(st.characters(codec=None))  # half surrogate pairs and control characters included
numbers = st.integers(-(2**70), 2**70)
seconds = st.floats(allow_nan=True, allow_infinity=True)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(LogLine, anything, st.sampled_from(Severity)),
    st.builds(Progress, anything, numbers, numbers),
    st.builds(StateChange, st.sampled_from(ProcessState)),
    st.builds(OperationReport, anything, st.sampled_from(OperationPhase), seconds, anything),
    st.builds(Milestone, anything, seconds),
)
events = st.builds(Event, numbers, numbers, bodies)

PLAIN: tuple[Body, ...] = (
    LogLine("two lines\n\tof ünïcode ☃ 💾", Severity.LOG),
    LogLine("", Severity.MSG),
    LogLine("careful", Severity.WARNING),
    LogLine("broken", Severity.ERROR),
    Progress("verify image", 5, 10),
    StateChange(ProcessState.FR_SUCCEEDED),
    OperationReport("Format /dev/sda2", OperationPhase.FAILED, 1.5, "no space"),
    Milestone("switch root", 2.25),
)


@pytest.mark.parametrize("body", PLAIN)
def test_what_is_sent_is_what_arrives(body: Body) -> None:
    sent = Event(7, 1_750_000_000_123_456_789, body)
    assert decode(EventBatch, encode(EventBatch(SENDER, (sent,)))).events == (sent,)


@settings(max_examples=200)
@given(st.lists(events, max_size=20))
def test_every_event_can_be_read_after_encoding(sent: list[Event]) -> None:
    arrived = decode(EventBatch, encode(EventBatch(SENDER, tuple(sent))))
    assert arrived.sender == SENDER
    assert [type(event.body) for event in arrived.events] == [type(event.body) for event in sent]
    for event in arrived.events:
        assert 0 <= event.number < 2**63
        assert 0 <= event.time_ns < 2**63
        describe(event.body).encode()  # can be stored and shown


@settings(max_examples=200)
@given(events)
def test_encoding_again_changes_nothing(sent: Event) -> None:
    once = _through(sent)
    again = _through(once)
    if isinstance(once.body, (OperationReport, Milestone)):
        assert json.dumps(encode_event(once)) == json.dumps(encode_event(again))
    else:
        assert again == once


@settings(max_examples=200)
@given(st.binary())
def test_any_bytes_get_a_precise_error(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode(EventBatch, data)
    assert caught.value.problems


@settings(max_examples=200)
@given(st.lists(events, min_size=1, max_size=3), st.data())
def test_a_damaged_message_is_an_error_or_a_valid_message(sent: list[Event], data: st.DataObject) -> None:
    message = bytearray(encode(EventBatch(SENDER, tuple(sent))))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadInput):
        for event in decode(EventBatch, bytes(message)).events:
            describe(event.body).encode()


def test_all_problems_are_named_with_their_place() -> None:
    message = {
        "serial": " ",
        "session": "XYZ",
        "events": [
            {"number": -1, "time_ns": "now", "type": "SONG"},
            {"number": 1, "time_ns": 1, "type": "LOG", "text": "bell \a"},
            {"number": 2, "time_ns": 1, "type": "STATE", "state": "LOST"},
            {"number": 3, "time_ns": 1, "type": "LOG"},
            {"number": 4, "time_ns": 1, "type": "LOG", "text": "x" * (MAX_TEXT + 1)},
            5,
        ],
    }
    with pytest.raises(BadInput) as caught:
        decode(EventBatch, json.dumps(message).encode())
    assert {problem.place for problem in caught.value.problems} == {
        "$.serial",
        "$.session",
        "$.events[0].number",
        "$.events[0].time_ns",
        "$.events[0].type",
        "$.events[1].text",
        "$.events[2].state",
        "$.events[3].text",
        "$.events[4].text",
        "$.events[5]",
    }


def test_a_lone_surrogate_is_refused_not_stored() -> None:
    problems: list[Problem] = []
    EventObject().parse(JsonObject({"number": 1, "time_ns": 1, "type": "LOG", "text": "\ud800"}, "$", problems))
    assert [problem.place for problem in problems] == ["$.text"]


def test_too_many_events_are_refused() -> None:
    many = [Event(number, 1, LogLine("x")) for number in range(501)]
    with pytest.raises(BadInput, match="at most 500"):
        decode(EventBatch, encode(EventBatch(SENDER, tuple(many))))


@given(anything, st.integers(60, 200))
def test_clean_text_is_short_and_printable(text: str, most: int) -> None:
    cleaned = clean(text, most)
    assert len(cleaned) <= most
    assert all(char in "\t\n\r" or char.isprintable() or ord(char) >= 0xA0 for char in cleaned)
    cleaned.encode()


def test_a_cut_text_ends_with_a_note() -> None:
    cut = clean("x" * 10_000, MAX_TEXT)
    assert len(cut) == MAX_TEXT
    assert cut.endswith("… (cut, was 10000 characters)")


def test_a_queue_holds_bounded_text() -> None:
    long = Event(1, 1, LogLine("x" * 1_000_000, Severity.ERROR))
    assert isinstance(long.body, LogLine)
    body = bounded(long).body
    assert isinstance(body, LogLine)
    assert len(body.text) == MAX_TEXT
    assert body.severity is Severity.ERROR
    short = Event(1, 1, LogLine("x"))
    assert bounded(short) is short


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (LogLine("hello"), "hello"),
        (Progress("verify", 5, 10), "verify: 5 of 10"),
        (Progress("download", 5, 0), "download: 5"),
        (StateChange(ProcessState.MFG_FAILED), "MFG_FAILED"),
        (OperationReport("Format", OperationPhase.STARTED), "Format: started"),
        (OperationReport("Format", OperationPhase.FAILED, 1.26, "no space"), "Format: failed after 1.3 s: no space"),
        (Milestone("init", 0.5), "init at 0.50 s"),
    ],
)
def test_one_line_for_a_person(body: Body, line: str) -> None:
    assert describe(body) == line


@given(seconds)
def test_durations_survive_within_a_nanosecond(value: float) -> None:
    body = _through(Event(1, 1, Milestone("m", value))).body
    assert isinstance(body, Milestone)
    if math.isfinite(value) and 0 <= value <= 1e6:
        assert abs(body.uptime - value) <= 1e-9


def _through(event: Event) -> Event:
    root = read_object("event", to_bytes(encode_event(event)))
    decoded = EventObject().parse(root)
    assert not root.problems
    return decoded
