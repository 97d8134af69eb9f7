"""Ranges of two buffers are equal where their bytes are."""

from __future__ import annotations

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.ioctl.libc import Memory

SIZE = 40


@given(st.binary(min_size=SIZE, max_size=SIZE), st.sets(st.integers(0, SIZE - 1), max_size=2), st.data())
def test_a_range_is_equal_if_all_of_its_bytes_are(content: bytes, changed: set[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, SIZE))
    size = data.draw(st.integers(0, SIZE - start))
    one, other = bytearray(content), mmap.mmap(-1, SIZE)
    other[:] = bytes(byte ^ (0x80 if place in changed else 0) for place, byte in enumerate(content))
    assert Memory(one).equals(Memory(other), start, size) is not any(start <= place < start + size for place in changed)


@pytest.mark.parametrize(("start", "size"), [(-1, 1), (0, SIZE + 1), (SIZE, 1), (1, -1)])
def test_ranges_outside_are_refused(start: int, size: int) -> None:
    with pytest.raises(ValueError, match="bytes at"):
        Memory(bytearray(SIZE)).equals(Memory(bytearray(SIZE + 1)), start, size)
