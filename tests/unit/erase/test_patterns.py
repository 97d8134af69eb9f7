"""Overwrite patterns: reproducible at any offset, different in every sector."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.erase.patterns import PERIOD, STAMP_UNIT, Fill, Stamped, pattern_bytes

SECTORS = st.integers(0, 3 * PERIOD // STAMP_UNIT)


@given(offset=SECTORS, size=st.integers(1, 4 * PERIOD // STAMP_UNIT), cut=SECTORS)
def test_any_part_of_a_pattern_is_the_same_as_in_one_piece(offset: int, size: int, cut: int) -> None:
    whole = pattern_bytes(Stamped("00ff"), 0, (offset + size) * STAMP_UNIT)
    assert pattern_bytes(Stamped("00ff"), offset * STAMP_UNIT, size * STAMP_UNIT) == whole[offset * STAMP_UNIT :]


def test_no_two_sectors_of_a_stamped_pattern_are_equal() -> None:
    content = pattern_bytes(Stamped("seed"), 0, 3 * PERIOD)
    sectors = [content[start : start + STAMP_UNIT] for start in range(0, len(content), STAMP_UNIT)]
    assert len(set(sectors)) == len(sectors)


def test_seeds_give_different_contents() -> None:
    assert pattern_bytes(Stamped("a"), 0, 512)[8:] != pattern_bytes(Stamped("b"), 0, 512)[8:]


def test_a_fill_is_its_byte() -> None:
    assert pattern_bytes(Fill(0x55), 4096, 1024) == b"\x55" * 1024
