"""SMART READ DATA of ATA drives: the table of attributes.

The command is that of ATA/ATAPI-7 (6.54.7). The table is not standardised; all makers use that of the specification of
1996 (SFF-8035i, revision 2): 30 entries of 12 bytes from offset 2 on, each with id, flags, value, worst value and six
bytes of raw data.
"""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.commands import SECTOR

# Ids of attributes that count errors. The lower four bytes of the raw data are the counter.
REALLOCATED, PENDING, OFFLINE_UNCORRECTABLE, CRC_ERRORS = 5, 197, 198, 199
_FIRST, _ENTRY, _ENTRIES = 2, 12, 30
_RAW, _COUNTER = 5, 4


def parse_smart_data(data: bytes) -> Mapping[int, int]:
    """Counters by attribute id. Raises BadInput (length, checksum)."""
    if len(data) < SECTOR:
        raise BadInput("SMART data", [Problem("", f"has {len(data)} bytes, expected {SECTOR}")])
    if sum(data[:SECTOR]) & 0xFF:
        raise BadInput("SMART data", [Problem("byte 511", "the checksum is wrong")])
    counters: dict[int, int] = {}
    for start in range(_FIRST, _FIRST + _ENTRY * _ENTRIES, _ENTRY):
        if number := data[start]:
            raw = data[start + _RAW : start + _RAW + _COUNTER]
            counters.setdefault(number, int.from_bytes(raw, "little"))
    return counters


def serialise_smart_data(counters: Mapping[int, int]) -> bytes:
    """At most 30 attributes."""
    data = bytearray(SECTOR)
    for index, (number, count) in enumerate(counters.items()):
        start = _FIRST + _ENTRY * index
        data[start] = number
        data[start + _RAW : start + _RAW + _COUNTER] = count.to_bytes(_COUNTER, "little")
    data[-1] = -sum(data) & 0xFF
    return bytes(data)
