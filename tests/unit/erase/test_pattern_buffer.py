"""A buffer that is used again holds what the definition of its pattern states, wherever it was before."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.erase.pattern_buffer import PatternBuffer
from gprov.domain.erase.patterns import PERIOD, Fill, Pattern, Stamped, pattern_bytes

patterns = st.one_of(st.integers(0, 255).map(Fill), st.sampled_from([Stamped("ab"), Stamped("cd")]))
# Places near multiples of the period, in order or not, up to the end of the largest disks.
places = st.tuples(st.integers(0, 20), st.integers(0, 3)).map(lambda place: place[0] * PERIOD + place[1] * 512)


@settings(max_examples=60, deadline=None)
@given(patterns, st.lists(places, min_size=1, max_size=6), st.sampled_from([512, 4096, 3 * 512]))
def test_the_buffer_holds_the_pattern(pattern: Pattern, offsets: list[int], size: int) -> None:
    buffer = PatternBuffer(pattern, memoryview(bytearray(b"\xaa" * size)))
    for offset in offsets:
        buffer.fill(offset)
        assert bytes(buffer.view) == pattern_bytes(pattern, offset, size)


def test_the_buffer_may_be_larger_than_the_period() -> None:
    buffer = PatternBuffer(Stamped("ab"), memoryview(bytearray(4 * PERIOD)))
    for offset in (0, 4 * PERIOD, (1 << 44) - 4 * PERIOD, 8 * PERIOD, 512):
        buffer.fill(offset)
        assert bytes(buffer.view) == pattern_bytes(Stamped("ab"), offset, 4 * PERIOD)
