"""Fields of a tar header, and the records of a pax extended header.

Sources: POSIX.1-2017 pax (ustar and pax interchange formats); GNU tar manual, "Basic Tar Format" and "Storing Sparse
Files". Parsers raise ``Malformed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import adler32

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
_POSIX_MAGIC = b"ustar\x0000"
_RECORD_DIGITS = 20


class Malformed(Exception):
    """A header is not what the format says."""


def checksum_matches(header: bytes) -> bool:
    """Is the sum of all bytes (the checksum field counting as spaces) what the checksum field says?

    The low half of Adler-32 is one more than the sum of the bytes, modulo 65521: exact for up to 256 bytes, and five
    times faster than ``sum``. Some old writers summed signed bytes; GNU tar accepts that, so it is valid.
    """
    total = (
        (adler32(header[:148]) & 0xFFFF)
        + (adler32(header[156:334]) & 0xFFFF)
        + (adler32(header[334:]) & 0xFFFF)
        + 8 * 0x20
        - 3
    )
    try:
        stored = number(header[148:156])
    except Malformed:
        return False
    return stored == total or stored == total - 256 * sum(byte >= 0x80 for byte in header[:148] + header[156:])


def number(field: bytes) -> int:
    """A numeric field: octal digits, ended by null or space; or base 256 if its first bit is set."""
    digits = field.strip(b" \0")
    if digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError as exc:
            raise Malformed(f"number {field!r} is not octal") from exc
    if not digits:
        return 0
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    raise Malformed(f"number {field!r} is negative" if field[0] == 0xFF else f"number {field!r} is not octal")


def check_numbers(header: bytes) -> None:
    """Mode and owners: tar stops at what it cannot read of them, when it is too late."""
    if header[100:124].translate(None, b"01234567 \0"):
        for start in (100, 108, 116):
            number(header[start : start + 8])


def text(field: bytes) -> bytes:
    """Up to the first null byte."""
    return field.partition(b"\0")[0]


def member_name(header: bytes) -> bytes:
    """Name of the member; POSIX headers may hold its start in the prefix field."""
    name = text(header[:100])
    if header[345] and header[257:265] == _POSIX_MAGIC:
        return text(header[345:500]) + b"/" + name
    return name


def pax_records(payload: bytes) -> dict[bytes, bytes]:
    """Keyword → value of an extended header; a keyword that stands twice has its last value."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(payload):
        space = payload.find(b" ", position, position + _RECORD_DIGITS)
        digits = payload[position:space]
        if space < 0 or not digits.isdigit():
            raise Malformed("extended header: a record has no length")
        end = position + int(digits)
        equals = payload.find(b"=", space, end)
        if end > len(payload) or equals < 0 or payload[end - 1] != 0x0A:
            raise Malformed("extended header: a record is cut or has no value")
        records[payload[space + 1 : equals]] = payload[equals + 1 : end - 1]
        position = end
    return records


def pax_number(records: Mapping[bytes, bytes], *keys: bytes) -> int | None:
    """The first of these keywords that is there, as a decimal number; None if none is."""
    for key in keys:
        value = records.get(key)
        if value is not None:
            if not value.isdigit() or len(value) > _RECORD_DIGITS:
                raise Malformed(f"extended header: {key.decode()} is {value[:40]!r}, not a number")
            return int(value)
    return None
