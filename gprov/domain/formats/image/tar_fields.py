"""Fields of a tar header, and the records of a pax extended header.

Sources: POSIX.1-2017 pax (ustar and pax interchange formats); GNU tar manual, "Basic Tar Format" and "Storing Sparse
Files". Parsers raise ``Malformed``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from zlib import adler32

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
_POSIX_MAGIC = b"ustar\x0000"
_RECORD_DIGITS = 20
# What tar's types hold (off_t, time_t), and owners but the highest, which means "no change" in system calls.
MAX_BYTES = MAX_SECONDS = (1 << 63) - 1
MAX_ID = (1 << 32) - 2
_OCTAL = re.compile(rb"\0? *([0-7]+)(?:[ \0].*)?", re.DOTALL)
# mode, uid, gid, size and mtime as almost every header has them
_PLAIN_NUMBERS = re.compile(rb"(?:[0-7]{7}[ \0]){3}(?:[0-7]{11}[ \0]){2}")


class Malformed(Exception):
    """A header is not what the format says."""


def checksum_matches(header: bytes) -> bool:
    """Return whether the sum of all bytes (the checksum field counting as spaces) equals the checksum field.

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
    """A numeric field: octal digits behind blanks, ended by null or blank or the end of the field; or base 256 if its
    first bit is set. Null bytes alone are 0, and one may stand before the blanks (Solaris)."""
    digits = field.strip(b" \0")
    if field[0] and digits.isdigit() and b"8" not in digits and b"9" not in digits:
        return int(digits, 8)
    if not digits and b" " not in field:
        return 0
    match = _OCTAL.fullmatch(field)
    if match:
        return int(match[1], 8)
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    raise Malformed(f"number {field!r} is negative" if field[0] == 0xFF else f"number {field!r} is not octal")


def check_numbers(header: bytes) -> int:
    """Check mode, owners, size and time, on which tar would fail while unpacking. Returns the size."""
    if _PLAIN_NUMBERS.fullmatch(header, 100, 148):
        return int(header[124:135], 8)
    for start, size, most in ((100, 8, MAX_BYTES), (108, 8, MAX_ID), (116, 8, MAX_ID), (124, 12, MAX_BYTES)):
        value = number(header[start : start + size])
        if value > most:
            raise Malformed(f"number {value} is more than {most}")
    header_time(header)
    return number(header[124:136])


def header_time(header: bytes) -> int:
    """Modification time in seconds since 1970."""
    field = header[136:148]
    seconds = int.from_bytes(field, "big", signed=True) if field[0] == 0xFF else number(field)
    if abs(seconds) > MAX_SECONDS:
        raise Malformed(f"time {seconds} is out of range")
    return seconds


def text(field: bytes) -> bytes:
    """Up to the first null byte."""
    return field.partition(b"\0")[0]


def member_name(header: bytes) -> bytes:
    """Name of the member; POSIX headers may hold its start in the prefix field."""
    name = text(header[:100])
    if header[345] and header[257:265] == _POSIX_MAGIC:
        return text(header[345:500]) + b"/" + name
    return name


# One for each number in the map of a sparse file, at most.
_MAX_RECORDS = 1 << 18


def pax_pairs(payload: bytes) -> list[tuple[bytes, bytes]]:
    """Keywords and values of an extended header in order. Raises Malformed for keywords with a null byte or a leading
    blank, which tar would read differently."""
    pairs = []
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
        key = payload[space + 1 : equals]
        if b"\0" in key or key[:1] in (b" ", b"\t"):
            raise Malformed(f"extended header: the keyword {key[:40]!r} holds a null byte or begins with a blank")
        pairs.append((key, payload[equals + 1 : end - 1]))
        position = end
        if len(pairs) > _MAX_RECORDS:
            raise Malformed(f"extended header: more than {_MAX_RECORDS} records")
    return pairs


def pax_records(payload: bytes) -> dict[bytes, bytes]:
    """Keyword → value of an extended header; a keyword that stands twice has its last value."""
    return dict(pax_pairs(payload))


def pax_number(records: Mapping[bytes, bytes], *keys: bytes) -> int | None:
    """The first of these keywords that is there, as a decimal number; None if none is."""
    for key in keys:
        value = records.get(key)
        if value is not None:
            return decimal(value, key.decode())
    return None


def decimal(value: bytes, subject: str, maximum: int = MAX_BYTES) -> int:
    """Digits, as a number up to ``most``."""
    if not value.isdigit() or len(value) > _RECORD_DIGITS or int(value) > maximum:
        raise Malformed(f"extended header: {subject} is {value[:40]!r}, not a number up to {maximum}")
    return int(value)
