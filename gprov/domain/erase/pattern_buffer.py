"""Contents of a pattern in a buffer that is used again for block after block.

A repeated block stays as it is. Of a stamped one only those bytes of the stamps are written that change: from one block
to the next that is one byte of eight, and now and then a second one. Each is a slice with a step, which ``bytearray``
and ``mmap`` (unlike ``memoryview``) assign in one loop of C.
"""

from __future__ import annotations

from typing import Protocol

from gprov.domain.erase.patterns import PERIOD, STAMP_SIZE, STAMP_UNIT, Fill, Pattern, pattern_bytes

# Bytes of a stamp that change, each with the number of bits below it. The two others repeat with ``PERIOD``.
_CHANGING = tuple((place, 8 * (STAMP_SIZE - 1 - place)) for place in range(STAMP_SIZE - 2))


class Buffer(Protocol):
    """``bytearray`` or ``mmap``."""

    def __len__(self) -> int: ...

    def __setitem__(self, place: slice, content: bytes, /) -> None: ...


class PatternBuffer:
    """``buffer``: a multiple of 512 bytes, changed only by this class."""

    def __init__(self, pattern: Pattern, buffer: Buffer) -> None:
        self._pattern = pattern
        self._buffer = buffer
        self._first = -1  # nothing in the buffer
        self._stamps: dict[int, bytes] = {}

    def fill(self, offset: int) -> None:
        """Make the buffer the content at byte ``offset`` of the disk (a multiple of 512)."""
        size, before = len(self._buffer), self._first
        if before >= 0 and isinstance(self._pattern, Fill):
            return
        self._first = offset
        if before < 0 or (offset - before) % PERIOD:
            self._buffer[:] = pattern_bytes(self._pattern, offset, size)
            self._stamps.clear()
            return
        for place, shift in _CHANGING:
            stamps = _stamp_bytes(offset, size, shift)
            if self._stamps.get(place) != stamps:
                self._buffer[place::STAMP_UNIT] = stamps
                self._stamps[place] = stamps


def _stamp_bytes(offset: int, size: int, shift: int) -> bytes:
    """One byte of each stamp in the buffer: the eight bits from ``shift`` on of its place on the disk."""
    content = bytearray()
    number, end, equal = offset // STAMP_UNIT, (offset + size) // STAMP_UNIT, (1 << shift) // STAMP_UNIT
    while number < end:
        count = min(equal - number % equal, end - number)
        content += bytes([number // equal & 0xFF]) * count
        number += count
    return bytes(content)
