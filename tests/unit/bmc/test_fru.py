"""The inventory of a board: its FRU File ID is the one that python-ipmi reads."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyipmi.fru import FruInventory

from gprov.domain.errors import BadInput
from gprov.domain.formats.ipmi.fru import fru_file_id

TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=2, max_size=20)
# Manufacturer, product, serial number and part number go before the file ID.
BOARD = ("ACME", "Board", "S1", "P1")
PRODUCT = ("ACME", "Product", "P1", "V1", "S1", "Asset")
BCD, SIX_BIT, EIGHT_BIT = 1, 2, 3


def field(content: bytes, kind: int = EIGHT_BIT) -> bytes:
    return bytes((kind << 6 | len(content),)) + content


def area(start: bytes, fields: tuple[bytes, ...], language: int = 25) -> bytes:
    """Format version, length, language, ``start``, fields, end, padding and checksum."""
    content = bytes((language,)) + start + b"".join(fields) + b"\xc1"
    units = (2 + len(content) + 1 + 7) // 8
    whole = (bytes((1, units)) + content).ljust(units * 8 - 1, b"\0")
    return whole + bytes((-sum(whole) & 0xFF,))


def board(*fields: bytes, language: int = 25) -> bytes:
    return area(b"\0\0\0", fields, language)


def product(*fields: bytes) -> bytes:
    return area(b"", fields)


def inventory(board_area: bytes = b"", product_area: bytes = b"") -> bytes:
    """Common header, then the areas."""
    after = 1 + len(board_area) // 8
    header = bytes((1, 0, 0, 1 if board_area else 0, after if product_area else 0, 0, 0))
    return header + bytes((-sum(header) & 0xFF,)) + board_area + product_area


def texts(values: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(field(value.encode()) for value in values)


@given(TEXT)
def test_the_file_id_of_the_board(name: str) -> None:
    data = inventory(board(*texts((*BOARD, name))))
    told = FruInventory(array("B", data))
    assert fru_file_id(data) == told.board_info_area.fru_file_id.string == name


@given(TEXT)
def test_the_file_id_of_the_product_if_the_board_has_none(name: str) -> None:
    data = inventory(board(*texts(BOARD), field(b"")), product(*texts((*PRODUCT, name))))
    told = FruInventory(array("B", data))
    assert fru_file_id(data) == told.product_info_area.fru_file_id.string == name


@given(st.binary(min_size=1, max_size=12))
def test_packed_texts(raw: bytes) -> None:
    for kind in (BCD, SIX_BIT):
        data = inventory(board(*texts(BOARD), field(raw, kind)))
        if kind == BCD and any(digit > 0xC for byte in raw for digit in (byte >> 4, byte & 0xF)):
            assert "?" in fru_file_id(data)  # reserved, and refused by python-ipmi
        else:
            told = FruInventory(array("B", data)).board_info_area.fru_file_id.string
            assert fru_file_id(data) == told.strip(" \0")


def test_other_encodings() -> None:
    assert fru_file_id(inventory(board(*texts(BOARD), field(b"\x12\xab", 0)))) == "12ab"
    japanese = inventory(board(*texts((*BOARD, "1.0")), language=42))
    told = FruInventory(array("B", japanese))
    assert fru_file_id(japanese) == told.board_info_area.fru_file_id.string == "1.0"


@pytest.mark.parametrize("data", [inventory(), inventory(board(*texts(BOARD))), inventory(product_area=product())])
def test_no_file_id(data: bytes) -> None:
    assert fru_file_id(data) == ""


def spoiled(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1 :]


def test_damage() -> None:
    good = inventory(board(*texts((*BOARD, "1.0"))), product(*texts((*PRODUCT, "1.0"))))
    places = {
        "header": (b"\x01" * 7, spoiled(good, 0), b"\x02" + bytes(6) + b"\xfe"),
        "board area": (spoiled(good, 20), good[:16]),
        "product area": (spoiled(good, len(good) - 5), good[:-8]),
    }
    for place, damaged in places.items():
        for data in damaged:
            with pytest.raises(BadInput) as caught:
                fru_file_id(data)
            assert place in [problem.place for problem in caught.value.problems]


def test_a_field_that_ends_outside_its_area() -> None:
    wrong = board(*texts(BOARD), bytes((0xFF,)) + b"abc")
    with pytest.raises(BadInput, match="board area, field 4"):
        fru_file_id(inventory(wrong))


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, repaired: bool) -> None:
    if repaired and len(data) >= 8:
        data = b"\x01" + data[1:7] + bytes((-(1 + sum(data[1:7])) & 0xFF,)) + data[8:]
    try:
        fru_file_id(data)
    except BadInput as error:
        problems = error.problems
    else:
        return
    assert problems
