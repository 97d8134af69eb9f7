"""Decoding ahead on threads: order, bounded memory, errors in their place, no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.archive.blocks import Piece
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.xz_fields import XzFilter
from gprov.domain.formats.image.xz_layout import XzBlock, XzLayout
from gprov.domain.image.decoding import CHUNK, decoding_limits

MIB = 1 << 20


class Ahead:
    """Blocks of pieces; counts how many bytes were made but not yet taken."""

    def __init__(self, sizes: list[list[int]]) -> None:
        self.sizes = sizes
        self.lock = threading.Lock()
        self.made = 0
        self.taken = 0
        self.most = 0

    def decode(self, number: int) -> Iterator[Piece]:
        for index, size in enumerate(self.sizes[number]):
            with self.lock:
                self.made += size
                self.most = max(self.most, self.made - self.taken)
            yield Piece(bytes((number, index)).ljust(size, b"."), b"", b"", 0)


@settings(deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(2, 40), max_size=12), max_size=12),
    workers=st.integers(1, 4),
    window=st.integers(0, 200),
)
def test_order_and_memory(sizes: list[list[int]], workers: int, window: int) -> None:
    source = Ahead(sizes)
    with OrderedDecoder(source.decode, len(sizes), workers, window) as decoder:
        for number, expected in enumerate(sizes):
            seen = []
            for piece in decoder.pieces(number):
                with source.lock:
                    source.taken += len(piece.data)
                seen.append((piece.data[:2], len(piece.data)))
            assert seen == [(bytes((number, index)), size) for index, size in enumerate(expected)]
    # What is made counts before it is admitted to the window: one piece for each worker, and three of the head.
    assert source.most <= window + (workers + 1) * 40 + 3 * 40


def test_an_error_comes_in_its_place() -> None:
    def decode(number: int) -> Iterator[Piece]:
        yield Piece(b"data", b"", b"", 0)
        if number == 2:
            raise IntegrityFault("x", "block 2")

    with OrderedDecoder(decode, 5, 3, 1000) as decoder:
        for number in (0, 1):
            assert [piece.data for piece in decoder.pieces(number)] == [b"data"]
        with pytest.raises(IntegrityFault, match="block 2"):
            list(decoder.pieces(2))


def test_leaving_early_ends_the_threads() -> None:
    def decode(_number: int) -> Iterator[Piece]:
        while True:
            yield Piece(b"x" * 100, b"", b"", 0)

    before = threading.active_count()
    with OrderedDecoder(decode, 4, 3, 1000) as decoder:
        next(decoder.pieces(0))
    assert threading.active_count() == before


def test_a_wider_window_lets_more_be_decoded() -> None:
    """Block 1 fills the window; only when that grows, it can be done before block 0 is read."""
    ready = threading.Event()

    def decode(number: int) -> Iterator[Piece]:
        for _ in range(5):
            yield Piece(bytes(100), b"", b"", 0)
        if number == 1:
            ready.set()

    with OrderedDecoder(decode, 2, 2, 400) as decoder:
        assert not ready.wait(0.05)
        decoder.extend_window(1000)
        assert ready.wait(10)
        assert sum(len(piece.data) for number in (0, 1) for piece in decoder.pieces(number)) == 1000


def layout(blocks: int, size: int, dictionary: int) -> XzLayout:
    block = XzBlock(
        offset=12,
        unpadded_size=1000,
        uncompressed_size=size,
        filters=(XzFilter(0x21, dictionary),),
        stream=1,
        header_size=12,
    )
    return XzLayout(0, (), (block,) * blocks)


def test_plan_for_a_machine_with_plenty() -> None:
    plan = decoding_limits(layout(20, 16 * MIB, 8 * MIB), cores=4, available=8 << 30)
    assert plan.workers == 4
    assert plan.window >= 3 * 16 * MIB
    assert plan.keep >= 320 * MIB
    assert decoding_limits(layout(20, 16 * MIB, 8 * MIB), 4, 8 << 30, keep_limit=0).keep == 0


def test_plan_for_a_unit_with_512_mib() -> None:
    """300 MiB are left there: both cores work, and something is kept."""
    plan = decoding_limits(layout(60, 16 * MIB, 8 * MIB), cores=2, available=300 * MIB)
    assert plan.workers == 2
    assert plan.window >= 24 * MIB
    assert plan.keep >= 64 * MIB


def test_plan_for_a_single_block_and_for_none() -> None:
    assert decoding_limits(layout(1, 1 << 30, 8 * MIB), 8, 4 << 30).workers == 1
    assert decoding_limits(layout(0, 0, 8 * MIB), 8, 4 << 30).workers == 1


@given(
    blocks=st.integers(0, 500),
    size=st.integers(0, 1 << 32),
    dictionary=st.integers(4096, 1 << 32),
    cores=st.integers(1, 64),
    available=st.integers(0, 1 << 40),
)
def test_plans_stay_within_what_there_is(blocks: int, size: int, dictionary: int, cores: int, available: int) -> None:
    """Unless even one worker is too much: then the least that works is planned, and ``needed`` has its memory."""
    plan = decoding_limits(layout(blocks, size, dictionary), cores, available)
    assert 1 <= plan.workers <= cores
    assert plan.window >= 4 * CHUNK
    least = plan.needed + 4 * CHUNK
    assert plan.workers * plan.needed + plan.window + plan.keep <= max(available, least)


def test_more_memory_never_plans_less() -> None:
    plans = [decoding_limits(layout(99, 24 * MIB, 8 * MIB), 4, mib * MIB) for mib in range(64, 4096, 64)]
    for less, more in pairwise(plans):
        assert more.workers >= less.workers
        assert more.window >= less.window or more.workers > less.workers
