"""Packets: one byte of kind (upper two bits) and code, the length of the data, the data, and the CRC of all of that.

There is no start byte. A reader that lost its place finds it again by trying each byte as the first of a packet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.lcd.crc import crc

MAX_DATA = 22
_HEADER = 2
_CRC = 2
_CODE_BITS = 6
MAX_CODE = (1 << _CODE_BITS) - 1


class Kind(IntEnum):
    """Upper two bits of the first byte. ``REPORT``: of the display, unasked. ``ERROR``: response to a command whose
    content the display refuses."""

    COMMAND = 0
    RESPONSE = 1
    REPORT = 2
    ERROR = 3


FROM_HOST = frozenset({Kind.COMMAND})
FROM_DISPLAY = frozenset({Kind.RESPONSE, Kind.REPORT, Kind.ERROR})


@dataclass(frozen=True, slots=True)
class Packet:
    """``code``: number of the command, or of the report, 0 to 63. Raises BadInput: code or length out of range."""

    kind: Kind
    code: int
    data: bytes = b""

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.code <= MAX_CODE:
            problems.append(Problem("code", f"{self.code} is not between 0 and {MAX_CODE}"))
        if len(self.data) > MAX_DATA:
            problems.append(Problem("data", f"{len(self.data)} bytes; a packet holds at most {MAX_DATA}"))
        if problems:
            raise BadInput("packet for a display", problems)

    def serialise(self) -> bytes:
        head = bytes([self.kind << _CODE_BITS | self.code, len(self.data)]) + self.data
        return head + crc(head).to_bytes(_CRC, "little")


class PacketReader:
    """Finds packets in a stream of bytes; bytes between them are skipped. The result does not depend on how the stream
    is cut. ``kinds``: those that the other side sends; others are noise."""

    def __init__(self, kinds: Collection[Kind] = FROM_DISPLAY) -> None:
        self._kinds = kinds
        self._waiting = bytearray()
        self.skipped = 0

    @property
    def is_inside(self) -> bool:
        """Whether bytes are kept that may be the start of a packet."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are complete now."""
        self._waiting += data
        found: list[Packet] = []
        while (length := self._length()) is not None and length <= len(self._waiting):
            raw = bytes(self._waiting[:length])
            if crc(raw[:-_CRC]) == int.from_bytes(raw[-_CRC:], "little"):
                found.append(Packet(Kind(raw[0] >> _CODE_BITS), raw[0] & MAX_CODE, raw[_HEADER:-_CRC]))
                del self._waiting[:length]
            else:
                self._skip()
        return found

    def end_pause(self) -> list[Packet]:
        """To be called after a pause that is longer than any inside a packet: what is incomplete now was none. Returns
        the packets behind its first byte."""
        found: list[Packet] = []
        while self._waiting:
            self._skip()
            found += self.feed(b"")
        return found

    def _length(self) -> int | None:
        """Length of the packet that may start at the first byte; None: too few bytes. Skips bytes that start none."""
        while self._waiting:
            if self._waiting[0] >> _CODE_BITS not in self._kinds:
                self._skip()
            elif len(self._waiting) < _HEADER:
                return None
            elif self._waiting[1] > MAX_DATA:
                self._skip()
            else:
                return _HEADER + self._waiting[1] + _CRC
        return None

    def _skip(self) -> None:
        del self._waiting[0]
        self.skipped += 1
