"""The fast reader of batches gives what the reader of all messages gives, problems included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.factory.event_batches import decode_batch
from gprov.domain.factory.requests import EventBatch, decode
from gprov.domain.factory.syntax import MAX_EVENTS, MAX_NUMBER, MAX_TEXT

SESSION = "0123456789abcdef" * 2
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-(2**65), 2**65), st.text(max_size=5), st.just([]), st.just({})
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, ODD)


LINES = st.fixed_dictionaries(
    {
        "number": mostly(st.integers(0, MAX_NUMBER)),
        "time_ns": mostly(st.integers(0, MAX_NUMBER)),
        "type": mostly(st.sampled_from(["LOG", "MSG", "WARNING", "ERROR", "log", "STATE", "PROGRESS", "x"])),
        "text": mostly(st.text(st.characters(), max_size=20)),
    },
    optional={"state": st.sampled_from(["MFG_STARTED", "no"]), "_note": ODD, "Text": ODD},
)
STATES = st.fixed_dictionaries(
    {
        "number": st.integers(0, 9),
        "time_ns": st.just(1),
        "type": st.just("STATE"),
        "state": mostly(st.just("MFG_STARTED")),
    }
)
BATCHES = st.fixed_dictionaries(
    {
        "serial": mostly(st.sampled_from(["SN 1", " SN", "", "x" * 65])),
        "session": mostly(st.sampled_from([SESSION, SESSION.upper()])),
        "events": mostly(st.lists(mostly(st.one_of(LINES, STATES)), max_size=4)),
    },
    optional={"more": ODD},
)


def outcome(read: Any, data: bytes) -> Any:
    try:
        return read(data)
    except BadInput as error:
        return error.what, error.problems


def same(data: bytes) -> None:
    assert outcome(decode_batch, data) == outcome(lambda given: decode(EventBatch, given), data)


def batch(*events: object) -> bytes:
    return json.dumps({"serial": "SN1", "session": SESSION, "events": events}).encode()


@given(BATCHES)
def test_any_document(document: Any) -> None:
    same(json.dumps(document).encode())


@given(st.binary(max_size=40))
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 100_000)
@example(b'{"serial": NaN}')
def test_any_bytes(data: bytes) -> None:
    same(data)


@pytest.mark.parametrize(
    "event",
    [
        '{"number": 1, "number": 2, "time_ns": 3, "type": "LOG", "text": "a"}',
        '{"number": 1, "time_ns": 3, "type": "LOG", "text": "\\ud800"}',
        '{"number": 1.0, "time_ns": 3, "type": "LOG", "text": ""}',
        '{"number": true, "time_ns": 3, "type": "LOG", "text": "\\u0000"}',
        '{"number": 1, "time_ns": 3, "type": "LOG", "text": "' + "x" * (MAX_TEXT + 1) + '"}',
    ],
)
def test_what_is_unusual(event: str) -> None:
    same(f'{{"serial": "SN1", "session": "{SESSION}", "events": [{event}]}}'.encode())


def test_too_many() -> None:
    same(batch(*[{"number": 1, "time_ns": 1, "type": "LOG", "text": "x"}] * (MAX_EVENTS + 1)))


def test_the_usual_is_read() -> None:
    read = decode_batch(batch({"number": 7, "time_ns": 8, "type": "MSG", "text": "hello"}))
    assert [(each.number, each.time_ns) for each in read.events] == [(7, 8)]
