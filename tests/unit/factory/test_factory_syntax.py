"""Numbers and serial numbers as forms and addresses have them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.factory.syntax import MAX_NUMBER, MAX_SERIAL, is_serial, whole_number


@given(st.integers(), st.integers(0, MAX_NUMBER), st.integers(0, MAX_NUMBER))
def test_whole_numbers_are_read_within_their_bounds(number: int, one: int, other: int) -> None:
    least, most = sorted((one, other))
    assert whole_number(str(number), least, most) == (number if least <= number <= most else None)


@given(st.text("0123456789 +-_.e\u0663", max_size=40))
def test_what_is_read_is_as_short_as_its_bound(text: str) -> None:
    found = whole_number(text, 0, 999)
    assert (found is not None) == (0 < len(text) <= 3 and all(each in "0123456789" for each in text))
    assert found is None or found == int(text)


def test_long_texts_are_no_numbers() -> None:
    for text in ("0" * 9 + "1", "9" * 5000):
        assert whole_number(text, 0, 100) is None


@given(st.text(max_size=MAX_SERIAL + 2))
def test_serial_numbers_are_printable_without_blanks_around(text: str) -> None:
    printable = text.isascii() and text.isprintable() and text.strip() == text
    assert is_serial(text) == (printable and 0 < len(text) <= MAX_SERIAL)
