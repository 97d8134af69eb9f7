"""What is no number of a single device, by rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.formats.placeholders import folded, placeholder

# As firmware of many makers has them.
SEEN = (
    "", " ", "0", "00", "000000", "0000-0000", "xxxx", "XXXXXXXXXX", "x.x.x", "...", "11111111", "FFFFFFFF",
    "0123456789", "01234567890123456789", "123456789", "1234567890", "1234567", "123456", "0123456789ABCDEF",
    "9876543210", "ABCDEFGH", "To be filled by O.E.M.", "To Be Filled By O.E.M", "TO BE FILLED BY OEM",
    "Default string", "Default", "None", "NULL", "N/A", "n.a.", "NA", "System Serial Number",
    "Base Board Serial Number", "Chassis Serial Number", "SerialNumber", "Serial Number", "Serial No.", "S/N",
    "S/N: 0000000", "SN", "Not Specified", "Not Available", "Not Applicable", "Not Present", "Not Settable",
    "<BAD INDEX>", "Unknown", "Invalid", "empty", "O.E.M.", "OEM", "OEM_Serial_Number", "Default_String",
    "System Serial Number 000", "No Asset Tag", "Undefined", "unspecified", "Enter serial number here",
)  # fmt: skip

REAL = (
    "abcd", "efgh",
    "11", "10", "S1", "A0000000", "00000001", "QEMU01234", "LAB0001", "SN1", "SN0001", "SN123456", "2345678", "7654321",
    "X12", "0X1", "CN-0VHRW1-72200-5BI-0AB1", "VMware-56 4d 3f", "S5H9NS0N123456", "4C530001", "123456789X", "None1",
    "1234567891", "OEM17", "Defiant 3", "Nanook", "12345",
)  # fmt: skip


@pytest.mark.parametrize("text", SEEN)
def test_what_makers_leave(text: str) -> None:
    assert placeholder(text)


@pytest.mark.parametrize("text", REAL)
def test_numbers_of_devices(text: str) -> None:
    assert placeholder(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [("-", "is empty"), ("7", "fewer than 2"), ("777", "repeated"), ("1234567", "sequence"), ("None", "makers' words")],
)
def test_the_reason_is_named(text: str, why: str) -> None:
    assert why in placeholder(text)


@settings(max_examples=200)
@given(st.sampled_from((*SEEN, *REAL)), st.lists(st.sampled_from(" -_./:#\t"), min_size=1, max_size=4), st.booleans())
def test_spelling_changes_nothing(text: str, between: list[str], upper: bool) -> None:
    spelled = "".join(character + between[place % len(between)] for place, character in enumerate(text))
    assert placeholder(spelled.upper() if upper else spelled) == placeholder(text)


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    assert placeholder(text) == placeholder(folded(text))


@settings(max_examples=200)
@given(st.from_regex(r"[A-Z]{2}[0-9]{2}[A-Z][0-9]{5}", fullmatch=True))
def test_counted_numbers_are_real_whatever_the_count(text: str) -> None:
    counted = text.replace("X", "Y").replace("0", "4")
    assert placeholder(counted) == ""


def test_long_texts_cost_little() -> None:
    assert placeholder("serialnumber" * 20) == "consists of makers' words"
    assert placeholder("serialnumber" * 100_000) == ""
