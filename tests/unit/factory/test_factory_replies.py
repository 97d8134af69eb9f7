"""Replies: read or refused, and passwords in no error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import (
    Refusal,
    decode_credentials,
    decode_error,
    decode_refusal,
    decode_time,
    error_reply,
)
from gprov.domain.unit.credentials import Credentials, EarlierPassword, Secret

CREDENTIALS = Credentials(
    os=Secret("one"), bios=Secret("two"), ipmi=Secret("three"), earlier_bios=(EarlierPassword(Secret("four")),)
)


def test_time() -> None:
    assert decode_time(b'{"time_ns": 1750000000123456789}') == 1_750_000_000_123_456_789
    for body in (b"", b"{}", b'{"time_ns": "now"}', b'{"time_ns": -1}', b"[]"):
        with pytest.raises(BadInput):
            decode_time(body)


def test_credentials_survive_encoding() -> None:
    assert decode_credentials(encode(CREDENTIALS)) == CREDENTIALS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"os": "a", "bios": "b"}',
        b'{"os": "a", "bios": "b", "ipmi": ""}',
        b'{"os": "a", "bios": "b", "ipmi": 5}',
        b'{"os": "a", "bios": "b", "ipmi": "' + b"x" * 129 + b'"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_an_incomplete_set_of_credentials_is_none(body: bytes) -> None:
    assert decode_credentials(body) is None


@settings(max_examples=200)
@given(st.binary())
def test_any_reply_is_read_without_a_crash(body: bytes) -> None:
    decode_credentials(body)
    decode_refusal(body)
    assert len(decode_error(body)) <= 300


def test_an_error_carries_all_problems_to_the_client() -> None:
    error = BadInput("events", [Problem("$.a", "is missing"), Problem("$.b", "is wrong")])
    assert decode_error(encode(error_reply(error))) == "events: $.a: is missing (and 1 more); $.b: is wrong"


def test_an_error_is_bounded_whatever_was_wrong() -> None:
    error = BadInput("x" * 10_000, [Problem("p" * 10_000, "m\a" * 10_000)] * 10_000)
    body = encode(error_reply(error))
    assert len(body) < 100_000
    assert len(json.loads(body)["problems"]) == 100


@pytest.mark.parametrize("refusal", Refusal)
def test_refusals_survive_encoding_and_have_a_sentence(refusal: Refusal) -> None:
    assert decode_refusal(encode(error_reply("no", refusal=refusal))) is refusal
    assert refusal.sentence


def test_an_error_without_refusal_names_none() -> None:
    assert decode_refusal(encode(error_reply("no"))) is None
    assert decode_refusal(b'{"refusal": "because"}') is None
