"""Contents of a simulated disk by ranges: a disk of many TB costs as much as the ranges that differ.

Also the media that are not what they state: sectors that cannot be read or written, less capacity than stated, writes
that are dropped, and former content that stays in flash that no address reaches any more (``hidden``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from gprov.domain.erase.extents import Extent, merged
from gprov.domain.erase.patterns import STAMP_UNIT, Fill, Pattern, Stamped, pattern_bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """``extent``: place on the medium. ``content``: a pattern as at byte ``shift`` + place, or bytes from ``shift``
    on."""

    extent: Extent
    content: Pattern | bytes
    shift: int = 0

    def __deepcopy__(self, memo: dict[int, object]) -> Segment:
        return self

    def cut(self, extent: Extent) -> Segment:
        """A part of it."""
        moved = extent.start - self.extent.start if isinstance(self.content, bytes) else 0
        return replace(self, extent=extent, shift=self.shift + moved)

    def read(self, extent: Extent) -> bytes:
        if isinstance(self.content, bytes):
            start = self.shift + extent.start - self.extent.start
            return self.content[start : start + extent.size]
        low = extent.start - extent.start % STAMP_UNIT
        size = -(-(extent.end - low) // STAMP_UNIT) * STAMP_UNIT
        found = pattern_bytes(self.content, self.shift + low, size)
        return found[extent.start - low : extent.end - low]

    def holds(self, pattern: Pattern, offset: int) -> bool:
        """Whether it is the pattern as at byte ``offset``; sectors of two different patterns never are equal."""
        if isinstance(self.content, bytes):
            return self.read(self.extent) == pattern_bytes(pattern, offset, self.extent.size)
        shifted = isinstance(pattern, Stamped) and self.shift + self.extent.start != offset
        return self.content == pattern and not shifted


@dataclass(kw_only=True)
class Media:
    """``capacity``: bytes that exist; higher addresses reach the same bytes again. ``dropped``: ranges whose
    writes are confirmed and not stored. ``elides``: a repeated value is recorded, and the former content stays
    ``hidden``. ``unflushed``: former content of what a power cut may undo."""

    size: int
    capacity: int = 0
    segments: tuple[Segment, ...] = ()
    unreadable: tuple[Extent, ...] = ()
    unwritable: tuple[Extent, ...] = ()
    dropped: tuple[Extent, ...] = ()
    elides: bool = False
    hidden: tuple[Segment, ...] = ()
    unflushed: list[tuple[Segment, ...]] = field(default_factory=list)

    def put(self, extent: Extent, content: Pattern | bytes, *, flushed: bool = True) -> None:
        """Store, with the lies of this medium. Unwritable ranges are the caller's concern."""
        for place, address in self._places(extent):
            moved = address.start - extent.start if isinstance(content, bytes) else address.start - place.start
            for kept in without((place,), self.dropped):
                moved_more = kept.start - place.start if isinstance(content, bytes) else 0
                self._store(Segment(kept, content, moved + moved_more), flushed=flushed)

    def _store(self, segment: Segment, *, flushed: bool) -> None:
        before = self._segments(segment.extent)
        if not flushed:
            self.unflushed.append(before)
        stays = self.elides and isinstance(segment.content, Fill)
        hidden = [part for one in self.hidden for part in parts(one, segment.extent)] if not stays else self.hidden
        self.hidden = (*hidden, *(one for one in before if stays and one.content != segment.content))
        kept = [part for one in self.segments for part in parts(one, segment.extent)]
        self.segments = tuple(sorted([*kept, segment], key=lambda one: one.extent.start))

    def read(self, extent: Extent) -> bytes:
        return b"".join(one.read(one.extent) for place, _ in self._places(extent) for one in self._segments(place))

    def different(self, extent: Extent, pattern: Pattern) -> tuple[Extent, ...]:
        """Ranges without this pattern, in sectors of 512 bytes where bytes are stored."""
        found: list[Extent] = []
        for place, address in self._places(extent):
            for one in self._segments(place):
                offset = address.start + one.extent.start - place.start
                if not one.holds(pattern, offset):
                    found += _differing(one, pattern, offset)
        return merged(found)

    def flush(self) -> None:
        self.unflushed.clear()

    def apply_power_cut(self, choose: Callable[[int], int] | None) -> None:
        """Undo what was not flushed, all of it or an arbitrary part. The newest first."""
        for before in reversed(self.unflushed):
            for segment in before:
                if choose is None or choose(2):
                    self._store(segment, flushed=True)
        self.unflushed.clear()

    def forget_all(self, residue: int | None, spared: tuple[Extent, ...] = ()) -> None:
        """Erased by the drive itself. ``residue``: what each byte reads as, None: pseudo-random. ``spared``: ranges
        that keep their content although the drive states success."""
        left = tuple(part for extent in spared for part in self._segments(extent))
        content: Pattern = Stamped(f"keys lost: {len(self.segments)}") if residue is None else Fill(residue)
        self.segments, self.hidden, self.unflushed = (Segment(Extent(0, self.size), content),), (), []
        for segment in left:
            self._store(segment, flushed=True)

    def _segments(self, extent: Extent) -> tuple[Segment, ...]:
        """All of this range of the medium, without gaps; what was never written is zero."""
        here = [one.cut(shared) for one in self.segments if (shared := common(one.extent, extent))]
        gaps = without((extent,), tuple(one.extent for one in here))
        return tuple(sorted([*here, *(Segment(gap, Fill(0)) for gap in gaps)], key=lambda one: one.extent.start))

    def _places(self, extent: Extent) -> Iterator[tuple[Extent, Extent]]:
        """Places on the medium of a range of addresses, each with its part of the addresses."""
        capacity = self.capacity or self.size
        start = extent.start
        while start < extent.end:
            end = min(extent.end, (start // capacity + 1) * capacity)
            yield Extent(start % capacity, start % capacity + end - start), Extent(start, end)
            start = end


def common(one: Extent, other: Extent) -> Extent | None:
    """The bytes of both; None if there are none."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Extent(start, end) if start < end else None


def without(extents: tuple[Extent, ...], removed: tuple[Extent, ...]) -> tuple[Extent, ...]:
    """The bytes of ``extents`` that are in none of ``removed``."""
    left = list(merged(extents))
    for hole in removed:
        left = [
            part
            for one in left
            for part in (Extent(one.start, min(one.end, hole.start)), Extent(max(one.start, hole.end), one.end))
            if part.size > 0
        ]
    return merged(left)


def parts(segment: Segment, removed: Extent) -> list[Segment]:
    """What is left of a segment without a range."""
    return [segment.cut(extent) for extent in without((segment.extent,), (removed,))]


def _differing(segment: Segment, pattern: Pattern, offset: int) -> Iterator[Extent]:
    if not isinstance(segment.content, bytes):
        yield Extent(offset, offset + segment.extent.size)
        return
    found, expected = segment.read(segment.extent), pattern_bytes(pattern, offset, segment.extent.size)
    for at in range(0, len(found), STAMP_UNIT):
        if found[at : at + STAMP_UNIT] != expected[at : at + STAMP_UNIT]:
            yield Extent(offset + at, offset + at + STAMP_UNIT)
