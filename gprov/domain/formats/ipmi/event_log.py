"""The controller's System Event Log (SEL). Source: IPMI specification 2.0, sections 31.2 (Get SEL Info), 31.5 (Get SEL
Entry), 32.1 (SEL Event Records)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

GET_SEL_INFO = 0x40
GET_SEL_ENTRY = 0x43
FIRST_RECORD = 0x0000
LAST_RECORD = 0xFFFF

_ENTIRE_RECORD = 0xFF
_EVENT = 0x02  # type of a record; from C0h on they are the manufacturer's
_INFO = struct.Struct("<BHHIIB")
_RECORD = 16


@dataclass(frozen=True, slots=True)
class SelInfo:
    """``added``: when the last entry was added, in seconds since 1970 by the controller's clock. ``overflow``: entries
    were lost for lack of space."""

    entries: int
    added: int
    overflow: bool


@dataclass(frozen=True, slots=True)
class SelEntry:
    """``next``: number of the following record, LAST_RECORD for none. ``record``: its 16 bytes."""

    number: int
    next: int
    record: bytes

    def describe(self) -> str:
        """Event records with sensor type (table 42-3), sensor, direction and data; others as hexadecimal bytes."""
        if self.record[2] != _EVENT:
            return f"record {self.number:#06x} of type {self.record[2]:#04x}: {self.record[3:].hex(' ')}"
        ended = " (ended)" if self.record[12] & 0x80 else ""
        kind, sensor = self.record[10], self.record[11]
        data = self.record[13:16].hex(" ")
        return f"record {self.number:#06x}: sensor type {kind:#04x}, sensor {sensor:#04x}, event data {data}{ended}"


def get_sel_info() -> Request:
    return Request(NetworkFunction.STORAGE, GET_SEL_INFO)


def parse_sel_info(data: bytes) -> SelInfo:
    """Raises BadInput."""
    check_size("Get SEL Info", data, _INFO.size)
    _version, entries, _free, added, _erased, operations = _INFO.unpack_from(data)
    return SelInfo(entries=entries, added=added, overflow=bool(operations & 0x80))


def get_sel_entry(number: int) -> Request:
    """The whole record, for which no reservation is needed. ``number``: FIRST_RECORD for the first, LAST_RECORD for the
    last."""
    return Request(NetworkFunction.STORAGE, GET_SEL_ENTRY, struct.pack("<HHBB", 0, number, 0, _ENTIRE_RECORD))


def parse_sel_entry(data: bytes) -> SelEntry:
    """Raises BadInput."""
    what = "Get SEL Entry"
    check_size(what, data, 2 + _RECORD, 2 + _RECORD)
    following, number = struct.unpack_from("<HH", data)
    if following == number:
        raise BadInput(what, [Problem("next record", f"is {following:#06x}, the record itself")])
    return SelEntry(number=number, next=following, record=data[2:])
