"""Names as text: nothing that a terminal would obey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.formats.printable import printable_name, printable_text


def test_what_is_escaped() -> None:
    assert printable_text("a\x1b[2J\nb\x9b1m\u202e\tc é") == "a\\x1b[2J\\nb\\x9b1m\\u202e\tc é"
    assert printable_name(b"a\x1b[2J\n\xff") == r"'a\x1b[2J\n" + "\ufffd'"


@given(st.text())
def test_nothing_but_tabs_is_unprintable(text: str) -> None:
    assert printable_text(text).replace("\t", "").isprintable()


@given(st.binary())
def test_names_of_any_bytes(name: bytes) -> None:
    assert printable_name(name).isprintable()
