"""Bytes of terminals as keys: complete and cut sequences, Escape, noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.console.keyboard import ESCAPE_SECONDS, KeyDecoder
from gprov.domain.display.keys import Input, Key, Typed


def decoded(*pieces: bytes, pause: float = 0.0, busy: bool = False) -> list[Input]:
    """Pieces that arrive with pauses, or at once and are read with pauses (``busy``); then nothing for long enough."""
    decoder, now = KeyDecoder(), 0.0
    entered: list[Input] = []
    for piece in pieces:
        entered.extend(decoder.feed(piece, now))
        now += pause
        entered.extend([] if busy else decoder.expire(now))
    return entered + decoder.expire(now + ESCAPE_SECONDS)


@pytest.mark.parametrize(
    ("sent", "entered"),
    [
        (b"a1~ ", [Typed("a"), Typed("1"), Typed("~"), Typed(" ")]),
        (b"\r", [Key.ENTER]),
        (b"\n", [Key.ENTER]),
        (b"\r\n", [Key.ENTER]),
        (b"\r\0\n", [Key.ENTER]),
        (b"\n\r", [Key.ENTER, Key.ENTER]),
        (b"\r\r", [Key.ENTER, Key.ENTER]),
        (b"\x08\x7f", [Typed("\b"), Typed("\b")]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", [Key.UP, Key.DOWN, Key.RIGHT, Key.LEFT]),
        (b"\x1bOA\x1bOM", [Key.UP, Key.ENTER]),
        (b"\x1b[1;5A", [Key.UP]),
        (b"\x1b[15~x", [Key.OTHER, Typed("x")]),
        (b"\x1b[[Ax", [Key.OTHER, Typed("x")]),
        (b"\x1bx", [Key.OTHER]),
        (b"\t\x03", [Key.OTHER, Key.OTHER]),
        (b"\x1b", [Key.EXIT]),
        (b"\x1b\x1b", [Key.EXIT, Key.EXIT]),
        (b"\x1b\x1b[A", [Key.EXIT, Key.UP]),
        (b"\x1b[", []),
        (b"\0\xff\x80\xc3\xa9", []),
    ],
)
def test_keys_of_terminals(sent: bytes, entered: list[Input]) -> None:
    assert decoded(sent) == entered
    assert decoded(*(bytes([byte]) for byte in sent), pause=ESCAPE_SECONDS / 2) == entered


def test_what_follows_an_escape_too_late_is_typed() -> None:
    assert decoded(b"\x1b", b"[A", pause=ESCAPE_SECONDS) == [Key.EXIT, Typed("["), Typed("A")]


def test_a_program_that_reads_late_does_not_take_an_arrow_for_escape() -> None:
    """As while it draws a menu on a slow line and a person holds a key."""
    assert decoded(b"\x1b[B\x1b", b"[B\x1b[", b"B\r", pause=2.0, busy=True) == [Key.DOWN] * 3 + [Key.ENTER]


@given(st.lists(st.binary(max_size=8), max_size=20), st.floats(0, 1))
def test_any_bytes_are_keys_or_nothing_and_no_sequence_stays_open(pieces: list[bytes], pause: float) -> None:
    decoder, now = KeyDecoder(), 0.0
    for piece in pieces:
        for entered in decoder.feed(piece, now):
            assert isinstance(entered, Key) or entered.character == "\b" or " " <= entered.character <= "~"
        now += pause
        decoder.expire(now)
        assert decoder.due is None or decoder.due > now
    decoder.expire(now + ESCAPE_SECONDS)
    assert decoder.due is None
    assert decoder.feed(b"y", now + 1) == [Typed("y")]
