"""A buffer that is used again holds what the definition of its pattern states, wherever it was before."""

from __future__ import annotations

import mmap

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gprov.domain.erase.pattern_buffer import PatternBuffer
from gprov.domain.erase.patterns import PERIOD, Fill, Pattern, Stamped, pattern_bytes

patterns = st.one_of(st.integers(0, 255).map(Fill), st.sampled_from([Stamped("ab"), Stamped("cd")]))
# Places near multiples of the period, in order or not, also where the higher bytes of the stamps change, up to the end
# of the largest disks.
places = st.builds(
    lambda base, periods, sectors: base + periods * PERIOD + sectors * 512,
    st.sampled_from(
        [
            0,
            (1 << 24) - 4 * PERIOD,
            (1 << 32) - 4 * PERIOD,
            (1 << 40) - 4 * PERIOD,
            (1 << 44) - PERIOD,
            (1 << 56) - 4 * PERIOD,
        ]
    ),
    st.integers(0, 20),
    st.integers(0, 3),
)
sizes = st.sampled_from([512, 4096, 3 * 512, PERIOD, 5 * PERIOD])


@settings(max_examples=60, deadline=None)
@example(Stamped("ab"), [0, PERIOD, 16 * PERIOD + 512, PERIOD + 512], 4096)  # filled anew in between
@example(Stamped("ab"), [(1 << 56) - PERIOD, 1 << 56], 4096)
@given(patterns, st.lists(places, min_size=1, max_size=6), sizes)
def test_the_buffer_holds_the_pattern(pattern: Pattern, offsets: list[int], size: int) -> None:
    content = bytearray(b"\xaa" * size)
    buffer = PatternBuffer(pattern, content)
    for offset in offsets:
        buffer.fill(offset)
        assert content == pattern_bytes(pattern, offset, size)


def test_a_disk_is_passed_block_after_block() -> None:
    size = 4 * PERIOD
    content = mmap.mmap(-1, size)
    buffer = PatternBuffer(Stamped("ab"), content)
    for offset in range((1 << 40) - 16 * PERIOD, (1 << 40) + 16 * PERIOD, size):
        buffer.fill(offset)
        assert content[:] == pattern_bytes(Stamped("ab"), offset, size)
