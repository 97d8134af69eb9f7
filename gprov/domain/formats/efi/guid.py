"""GUIDs: text ↔ the 16 bytes in which UEFI stores them.

The first three fields are little-endian, the last two are byte strings (UEFI specification 2.10, appendix A), so that
``8be4df61-93ca-11d2-…`` begins with the bytes 61 df e4 8b.
"""

from __future__ import annotations

import re
import struct

from gprov.domain.errors import BadInput, Problem

SIZE = 16

_TEXT = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", re.ASCII)


def guid_to_bytes(text: str) -> bytes:
    """Any case; surrounding blanks or braces are not part of a GUID. Raises BadInput."""
    match = _TEXT.fullmatch(text.lower())
    if match is None:
        raise BadInput("GUID", [Problem("", f"{text[:60]!r} is not of the form 8-4-4-4-12 hex digits")])
    first, second, third, fourth, node = match.groups()
    head = struct.pack("<IHH", int(first, 16), int(second, 16), int(third, 16))
    return head + bytes.fromhex(fourth + node)


def guid_from_bytes(data: bytes) -> str:
    """Lower-case text. Raises BadInput unless there are exactly 16 bytes."""
    if len(data) != SIZE:
        raise BadInput("GUID", [Problem("", f"{SIZE} bytes expected, {len(data)} found")])
    first, second, third = struct.unpack_from("<IHH", data)
    return f"{first:08x}-{second:04x}-{third:04x}-{data[8:10].hex()}-{data[10:].hex()}"
