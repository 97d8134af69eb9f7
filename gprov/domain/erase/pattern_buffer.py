"""Contents of a pattern in a buffer that is used again for block after block.

A repeated block stays as it is. Of a stamped one only the stamps change, and these are added to as one large number: a
block of some MiB costs a small part of the time in which a fast disk writes it (benchmarks/erase.py).
"""

from __future__ import annotations

from gprov.domain.erase.patterns import PERIOD, STAMP_UNIT, Fill, Pattern, pattern_bytes

_STAMP_SIZE = 8
# Stamps stand in the buffer at this distance, in units of their own size.
_STRIDE = STAMP_UNIT // _STAMP_SIZE


class PatternBuffer:
    """``view``: writable bytes, a multiple of 512 of them."""

    def __init__(self, pattern: Pattern, view: memoryview) -> None:
        self._pattern = pattern
        self._view = view
        self._stamps = view.cast("Q")[::_STRIDE]
        self._each = int.from_bytes((1).to_bytes(_STAMP_SIZE) * len(self._stamps))
        self._first = 0
        self._number = -1  # nothing in the buffer

    def fill(self, offset: int) -> None:
        """Make the buffer the content at byte ``offset`` of the disk (a multiple of 512)."""
        if self._number >= 0 and isinstance(self._pattern, Fill):
            return
        if self._number >= 0 and (offset - self._first) % PERIOD == 0:
            self._number += self._each * (offset - self._first)
            self._stamps[:] = memoryview(self._number.to_bytes(_STAMP_SIZE * len(self._stamps))).cast("Q")
        else:
            self._view[:] = pattern_bytes(self._pattern, offset, len(self._view))
            self._number = int.from_bytes(bytes(self._stamps))
        self._first = offset

    @property
    def view(self) -> memoryview:
        return self._view
