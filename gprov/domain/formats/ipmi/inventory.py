"""Reading inventory data (FRU). Source: IPMI specification 2.0, sections 34.1 (Get FRU Inventory Area Info) and 34.2
(Read FRU Data)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

GET_FRU_AREA_INFO = 0x10
READ_FRU_DATA = 0x11
# Completion code of Read FRU Data: the device is busy (34.2).
FRU_BUSY = 0x81


@dataclass(frozen=True, slots=True)
class FruArea:
    """``size``: bytes. ``by_words``: offsets and counts are in words of two bytes."""

    size: int
    by_words: bool


def get_fru_area_info(fru: int) -> Request:
    """``fru``: number of the inventory device; 0 is that of the controller's board."""
    return Request(NetworkFunction.STORAGE, GET_FRU_AREA_INFO, bytes((fru,)))


def parse_fru_area_info(data: bytes) -> FruArea:
    """Raises BadInput."""
    check_size("Get FRU Inventory Area Info", data, 3)
    return FruArea(size=int.from_bytes(data[:2], "little"), by_words=bool(data[2] & 1))


def read_fru_data(fru: int, offset: int, count: int) -> Request:
    """``offset`` and ``count`` in the unit of the area."""
    return Request(NetworkFunction.STORAGE, READ_FRU_DATA, struct.pack("<BHB", fru, offset, count))


def parse_fru_data(data: bytes, count: int) -> bytes:
    """What was read: at least one byte and at most ``count``. Raises BadInput."""
    what = "Read FRU Data"
    check_size(what, data, 2)
    if data[0] != len(data) - 1 or data[0] > count:
        text = f"is {data[0]}, the response has {len(data) - 1} bytes and {count} were asked for"
        raise BadInput(what, [Problem("count", text)])
    return data[1:]
