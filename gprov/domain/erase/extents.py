"""Byte ranges of a disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """Bytes ``start`` to ``end`` (exclusive)."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    def describe(self) -> str:
        return f"bytes {self.start} to {self.end - 1}"


def merged(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Sorted, without overlaps; adjacent ranges are joined, empty ones dropped."""
    result: list[Extent] = []
    for extent in sorted(one for one in extents if one.size > 0):
        if result and extent.start <= result[-1].end:
            result[-1] = Extent(result[-1].start, max(result[-1].end, extent.end))
        else:
            result.append(extent)
    return tuple(result)


def total_size(extents: Iterable[Extent]) -> int:
    """Bytes covered by ranges that do not overlap."""
    return sum(extent.size for extent in extents)
