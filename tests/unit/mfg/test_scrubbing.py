"""Passwords in the output of programs. The forms are made by other code than what finds them: the standard library."""

from __future__ import annotations

import base64
import json
import shlex
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.mfg.scrubbing import HIDDEN, LEAST_ENCODED, StreamScrubber, scrub

PASSWORD = "Zw/4 >k?ü'\"x+Q"
# Nothing in a text beside a password resembles a part of it.
_QUIET = st.text("…;!", max_size=12)
_PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=LEAST_ENCODED, max_size=24).filter(
    lambda text: not set(text) & set("…;!*") and text.strip() == text
)


def _base64(text: str, before: str = "", after: str = "") -> str:
    return base64.b64encode(f"{before}{text}{after}".encode()).decode()


def _url_base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _hex(text: str, separator: str = "", mark: str = "") -> str:
    return separator.join(f"{mark}{octet:02x}" for octet in text.encode())


def _everything_percent_encoded(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "other case": str.swapcase,
    "base64": _base64,
    "base64, one byte before": lambda text: _base64(text, "u"),
    "base64, two bytes before": lambda text: _base64(text, "u:"),
    "base64, all around": lambda text: _base64(text, "admin:", "@host"),
    "base64 without padding": lambda text: _base64(text, "ab").rstrip("="),
    "base64 for URLs": _url_base64,
    "base64 for URLs, without padding": lambda text: _url_base64(f"user:{text}").rstrip("="),
    "base64 over lines": lambda text: base64.encodebytes(f"{'user' * 14}{text}".encode()).decode(),
    "base64 of the upper case": lambda text: _base64(text.upper(), "x"),
    "base64 in JSON": lambda text: json.dumps(_base64(text)).replace("/", "\\/"),
    "base64 in a query": lambda text: quote(_base64(text, "x"), safe=""),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "hexadecimal": _hex,
    "hexadecimal, upper case": lambda text: _hex(text).upper(),
    "hexadecimal, colons": lambda text: _hex(text, ":"),
    "hexadecimal, blanks": lambda text: _hex(text, " ").upper(),
    "hexadecimal, 0x": lambda text: _hex(text, mark="0x"),
    "hexadecimal, of C": lambda text: _hex(text, ", ", "0x"),
    "hexadecimal, lines": lambda text: _hex(text, "\n"),
    "escapes of C": lambda text: _hex(text, mark="\\x"),
    "octal escapes": lambda text: "".join(f"\\{octet:03o}" for octet in text.encode()),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded, lower case": lambda text: quote(text, safe="").lower(),
    "percent-encoded throughout": _everything_percent_encoded,
    "of a form": quote_plus,
    "JSON": json.dumps,
    "JSON with all of Unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in upper case": lambda text: json.dumps(text.upper()),
    "JSON, slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "quoted for a shell": shlex.quote,
    "traced by a shell": lambda text: "'" + text.replace("'", "'\\''") + "'",
}


def _unchanged(form: str, password: str) -> bool:
    """Whether upper and lower case of this password can be turned into each other letter by letter."""
    return "case" not in form or all(
        len(char.upper()) == len(char.lower()) == 1 and char.lower().upper() == char.upper() for char in password
    )


def _printed(password: str, form: str, before: str, after: str) -> bytes:
    return f"{before};{FORMS[form](password)};{after}".encode()


@pytest.mark.parametrize("form", FORMS)
def test_a_password_is_removed_in_each_form(form: str) -> None:
    output = _printed(PASSWORD, form, "set…", "…done")
    left = scrub(output, [PASSWORD]).decode()
    assert HIDDEN in left
    # Besides the user before it in base64, and quotes around it, nothing stays.
    assert left.startswith("set…;")
    assert left.endswith(";…done")
    assert len(left) <= len("set…;***;…done") + (80 if "over lines" in form else 20)


@settings(max_examples=300)
@given(_PASSWORDS, st.sampled_from(sorted(FORMS)), _QUIET, _QUIET)
def test_any_password_is_removed(password: str, form: str, before: str, after: str) -> None:
    if not _unchanged(form, password):
        return
    output = _printed(password, form, before, after)
    left = scrub(output, ["another", password, ""])
    assert HIDDEN.encode() in left
    assert left.startswith(f"{before};".encode())
    assert left.endswith(f";{after}".encode())
    assert scrub(left, [password]) == left


@settings(max_examples=200)
@given(_PASSWORDS, st.binary(max_size=7), st.binary(max_size=7), st.booleans(), st.booleans())
def test_base64_around_a_password_is_still_base64_of_what_is_around(
    password: str, before: bytes, after: bytes, url: bool, padded: bool
) -> None:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    raw = password.encode()
    text = encode(before + raw + after)
    left = scrub(text if padded else text.rstrip(b"="), [password])
    start, found, rest = left.partition(b"***")
    assert found
    # Digits that stay depend on bytes of others only, and all of these stay.
    assert start == text[: len(before) * 8 // 6]
    after_digits = len(text.rstrip(b"=")) - -(-(len(before) + len(raw)) * 8 // 6)
    assert rest.rstrip(b"=") == (text.rstrip(b"=")[-after_digits:] if after_digits else b"")


@settings(max_examples=200)
@given(_PASSWORDS, st.sampled_from(sorted(FORMS)), st.lists(st.integers(1, 40), max_size=20), st.integers(0, 6))
def test_pieces_of_a_stream_are_scrubbed_as_the_whole(password: str, form: str, sizes: list[int], times: int) -> None:
    whole = _printed(password, form, "…", "!" * times) * times
    scrubber = _EagerScrubber([password])
    done, left = b"", whole
    for size in sizes:
        piece, left = left[:size], left[size:]
        done += scrubber.feed(piece)
    done += scrubber.feed(left) + scrubber.finish()
    assert done == scrub(whole, [password])


class _EagerScrubber(StreamScrubber):
    """Cuts wherever it may, as if all pieces were long."""

    PIECE = 1


def test_a_stream_of_many_pieces_is_scrubbed_at_every_cut() -> None:
    unit = b"-" * 1000
    for offset in range(0, 3000, 61):
        scrubber = StreamScrubber([PASSWORD])
        text = b"." * (StreamScrubber.PIECE + offset) + _base64(PASSWORD).encode() + unit * 4
        done = b"".join([scrubber.feed(text[:-500]), scrubber.feed(text[-500:]), scrubber.finish()])
        assert done == b"." * (StreamScrubber.PIECE + offset) + b"***" + unit * 4


def test_a_stream_holds_back_no_more_than_it_must() -> None:
    scrubber = StreamScrubber([PASSWORD])
    given_size = got = 0
    for _ in range(64):
        got += len(scrubber.feed(b"line of output\n" * 4096))
        given_size += 15 * 4096
        assert given_size - got < 1 << 19


@pytest.mark.parametrize("password", ["abc", "x", "12"])
def test_a_short_password_is_removed_only_as_it_is(password: str) -> None:
    others = f"{password.upper() if password.isalpha() else ''} {_base64(password)} {_hex(password)}"
    kept = others.replace(password, HIDDEN)
    assert scrub(f"{password} {others}".encode(), [password]).decode() == f"*** {kept}"


def test_other_text_stays_byte_by_byte() -> None:
    output = bytes(range(256)) * 8 + "%41 \\u0041 0x41 42:43 QUJD äöü\r\n".encode()
    assert scrub(output, [PASSWORD, "", "x" * 40]) == output
    assert scrub(output, []) == output


def test_one_password_within_another() -> None:
    assert scrub(b"bios-and-more bios BIOS biosbios", ["bios", "bios-and-more"]) == b"*** *** *** ******"
    assert scrub(b"abcdefgh", ["abcdef", "defgh"]) == b"***"


def test_latin_1() -> None:
    assert scrub("größer".encode("latin-1") + b" gr%F6%DFer", ["größer"]) == b"*** ***"


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (b"a" * (1 << 20), "a" * 400 + "b"),
        (b"61" * (1 << 19), "a" * 400 + "b"),
        (b"6 1 " * (1 << 18), "a" * 400),
        (b"aaaa" * (1 << 18), "aaaa"),
        (b"%61" * (1 << 18), "aaaaaab"),
        (b"\\" * (1 << 20), "\\\\\\\\n"),
        (b"YWFh" * (1 << 18), "a" * 100),
        (b"YWFh\n" * (1 << 17), "b" * 100),
    ],
)
def test_the_time_is_in_proportion_to_the_output(text: bytes, password: str) -> None:
    def seconds(content: bytes) -> float:
        start = time.process_time()
        scrub(content, [password])
        return time.process_time() - start

    quarter = max(seconds(text[: len(text) // 4]), 0.01)
    assert seconds(text) < 12 * quarter  # 16 if it were quadratic
    assert seconds(text) < 10
