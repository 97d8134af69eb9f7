"""Inventory data of a board. Source: Platform Management FRU Information Storage Definition 1.0, revision 1.3."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem

HEADER = 8
_WHAT = "FRU data"
_UNIT = 8  # of offsets and lengths
_FORMAT = 0x01
_END_OF_FIELDS = 0xC1
_BOARD_OFFSET, _PRODUCT_OFFSET = 3, 4
# Where the first field of an area is, and the index of the FRU File ID among its fields (sections 11 and 12).
_BOARD_FIELDS, _BOARD_FILE_ID = 6, 4
_PRODUCT_FIELDS, _PRODUCT_FILE_ID = 3, 6
# The last three are reserved.
_BCD_PLUS = "0123456789 -.???"


def fru_file_id(data: bytes) -> str:
    """The FRU File ID of the board, or else of the product: the version of the file from which the manufacturer wrote
    the inventory. Empty if there is none. ``data``: the whole inventory area. Raises BadInput with every problem."""
    if len(data) < HEADER:
        raise BadInput(_WHAT, [Problem("header", f"{len(data)} bytes are too few for {HEADER}")])
    problems: list[Problem] = []
    if sum(data[:HEADER]) & 0xFF:
        problems.append(Problem("header", "its checksum is wrong"))
    elif data[0] & 0x0F != _FORMAT:
        problems.append(Problem("header", f"its format version is {data[0] & 0x0F}, known is {_FORMAT}"))
    else:
        board = _field(data, "board area", data[_BOARD_OFFSET], (_BOARD_FIELDS, _BOARD_FILE_ID), problems)
        product = _field(data, "product area", data[_PRODUCT_OFFSET], (_PRODUCT_FIELDS, _PRODUCT_FILE_ID), problems)
        if not problems:
            return board or product
    raise BadInput(_WHAT, problems)


def _field(data: bytes, area: str, start: int, where: tuple[int, int], problems: list[Problem]) -> str:
    """``start``: of the area, 0 if there is none. ``where``: offset of the first field, index of the wanted one."""
    if not start:
        return ""
    content = data[start * _UNIT :]
    content = content[: content[1] * _UNIT] if len(content) > 1 and len(content) >= content[1] * _UNIT else b""
    if not content:
        problems.append(Problem(area, "ends outside the data"))
    elif sum(content) & 0xFF:
        problems.append(Problem(area, "its checksum is wrong"))
    else:
        return _nth(content, area, where, problems)
    return ""


def _nth(content: bytes, area: str, where: tuple[int, int], problems: list[Problem]) -> str:
    offset, index = where
    for number in range(index + 1):
        if offset >= len(content) or content[offset] == _END_OF_FIELDS:
            return ""
        head = content[offset]
        raw = content[offset + 1 : offset + 1 + (head & 0x3F)]
        if len(raw) < head & 0x3F:
            problems.append(Problem(f"{area}, field {number}", "ends outside the area"))
            return ""
        offset += 1 + len(raw)
        if number == index:
            return _text(head >> 6, raw).strip(" \0")
    return ""


def _text(kind: int, raw: bytes) -> str:
    """Section 13: binary or unspecified, BCD plus, 6-bit ASCII, or Latin-1. A FRU File ID is in English whatever the
    language of its area is."""
    match kind:
        case 0:
            return raw.hex()
        case 1:
            return "".join(_BCD_PLUS[digit] for byte in raw for digit in (byte >> 4, byte & 0x0F))
        case 2:
            bits = int.from_bytes(raw, "little")
            return "".join(chr(0x20 + (bits >> 6 * place & 0x3F)) for place in range(len(raw) * 8 // 6))
        case _:
            return raw.decode("latin-1")
