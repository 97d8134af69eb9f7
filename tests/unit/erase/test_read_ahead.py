"""What a transfer reads through ``ReadAhead`` from a device in memory that fails, reads less or ends where it is told
to; the expectation is computed sector by sector."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.disk.raw_device import RawDevice
from gprov.adapters.linux.disk.read_ahead import BUFFERS, read_ahead
from gprov.adapters.linux.disk.transfer import BLOCK, Progress, Transfer, blocks
from gprov.domain.erase.extents import Extent, merged

SECTOR = 512
SIZE = 6 * BLOCK


@dataclass
class Device(RawDevice):
    """A sector holds its number. ``most``: bytes of one read; ``before``: called before each read."""

    bad: frozenset[int] = frozenset()
    end: int = SIZE
    most: int = BLOCK
    before: Callable[[int], None] = lambda offset: None
    started: list[int] = field(default_factory=list)

    @override
    def read(self, view: memoryview, offset: int) -> int:
        self.started.append(offset)
        self.before(offset)
        done = max(0, min(len(view), self.most, self.end - offset))
        for sector in range(offset // SECTOR, (offset + done) // SECTOR):
            if sector in self.bad:
                raise OSError(errno.EIO, "bad sector")
        view[:done] = b"".join(number(sector) for sector in range(offset // SECTOR, (offset + done) // SECTOR))
        return done

    @override
    def write(self, view: memoryview, offset: int) -> int:
        raise AssertionError("nothing is written")

    @override
    def flush(self) -> None:
        raise AssertionError("nothing is written")

    @override
    def discard(self, start: int, size: int) -> None:
        raise AssertionError("nothing is written")

    @override
    def size(self) -> int:
        return SIZE

    @override
    def sector(self) -> int:
        return SECTOR


def number(sector: int) -> bytes:
    return sector.to_bytes(8) * (SECTOR // 8)


@dataclass
class Found:
    sectors: list[int]
    transfer: Transfer


def ignore(done: int) -> None:
    """No report."""


def read_all(device: Device, extents: tuple[Extent, ...], each: Callable[[int], None] = ignore) -> Found:
    """Which sectors came, in order; each must hold its number. ``each`` gets the offset of each step."""
    sectors: list[int] = []

    def step(offset: int, size: int) -> int:
        done = ahead.read(offset, size)
        each(offset)
        place = offset % BLOCK
        for start in range(0, done, SECTOR):
            sector = (offset + start) // SECTOR
            assert ahead.buffer.view[place + start : place + start + SECTOR] == number(sector)
            sectors.append(sector)
        return done

    transfer = Transfer(device, SIZE, lambda: "", step)
    with read_ahead(device, lambda: blocks(extents)) as ahead:
        transfer.run(extents, Progress(FakeClock(), ignore))
    return Found(sectors, transfer)


def reading_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "read ahead"]


def covered(extents: tuple[Extent, ...]) -> Iterator[int]:
    for extent in extents:
        yield from range(extent.start // SECTOR, extent.end // SECTOR)


sector_numbers = st.integers(0, SIZE // SECTOR - 1)
# Also sectors beside each other, and at both sides of a block's end.
bad_sectors = st.frozensets(st.one_of(sector_numbers, st.integers(2 * BLOCK // SECTOR - 2, 2 * BLOCK // SECTOR + 2)))
wanted = st.lists(
    st.builds(
        lambda start, size: Extent(start * SECTOR, min(SIZE, (start + size) * SECTOR)),
        sector_numbers,
        st.integers(1, 2 * BLOCK // SECTOR),
    ),
    min_size=1,
    max_size=3,
).map(lambda some: merged(tuple(some)))


@settings(max_examples=40, deadline=None)
@given(wanted, bad_sectors, st.sampled_from([BLOCK, BLOCK // 2, 3 * SECTOR * 100]))
def test_every_good_sector_comes_once_and_in_order(extents: tuple[Extent, ...], bad: frozenset[int], most: int) -> None:
    found = read_all(Device(bad=bad, most=most), extents)
    assert found.sectors == [sector for sector in covered(extents) if sector not in bad]
    assert sorted(covered(merged(tuple(found.transfer.bad)))) == sorted(bad & set(covered(extents)))
    assert (found.transfer.reached, found.transfer.error) == (sum(one.size for one in extents), "")
    assert reading_threads() == []


def test_the_end_of_the_device_ends_the_transfer_there() -> None:
    found = read_all(Device(end=BLOCK + 3 * SECTOR), (Extent(0, SIZE),))
    assert found.transfer.reached == BLOCK + 3 * SECTOR
    assert f"the device ends at byte {BLOCK + 3 * SECTOR}" in found.transfer.error
    assert reading_threads() == []


def test_the_next_blocks_are_read_meanwhile_and_not_more_than_there_are_buffers() -> None:
    last = threading.Event()
    most_ahead: list[int] = []

    def before(offset: int) -> None:
        if offset == (BUFFERS - 1) * BLOCK:
            last.set()

    def each(offset: int) -> None:
        if offset == 0:
            assert last.wait(20), "the other buffers were not filled while the first one was in use"
        most_ahead.append((max(device.started) - offset) // BLOCK)

    device = Device(before=before)
    read_all(device, (Extent(0, SIZE),), each)
    assert max(most_ahead) == BUFFERS - 1


def test_what_the_reading_raises_is_raised_for_its_block() -> None:
    def before(offset: int) -> None:
        if offset == 2 * BLOCK:
            raise KeyError("no errno")

    steps: list[int] = []
    with pytest.raises(KeyError):
        read_all(Device(before=before), (Extent(0, SIZE),), steps.append)
    assert steps == [0, BLOCK]
    assert reading_threads() == []


def test_what_the_comparison_raises_ends_the_reading() -> None:
    def each(offset: int) -> None:
        raise KeyError("enough")

    device = Device()
    with pytest.raises(KeyError):
        read_all(device, (Extent(0, SIZE),), each)
    assert reading_threads() == []
    assert len(device.started) <= BUFFERS


def test_without_a_thread_each_block_is_read_when_it_is_wanted() -> None:
    """No thread can be created with a stack that is larger than the address space."""
    before = threading.stack_size(1 << 47)
    try:
        found = read_all(Device(bad=frozenset({5})), (Extent(0, SIZE),))
    finally:
        threading.stack_size(before)
    assert found.sectors == [sector for sector in range(SIZE // SECTOR) if sector != 5]
