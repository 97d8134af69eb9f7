"""Media of ranges behave as bytes do; those that lie do it in the way that they are told to."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.machine.media import Media
from gprov.domain.erase.extents import Extent, total_size
from gprov.domain.erase.patterns import Fill, Pattern, Stamped, pattern_bytes

SECTORS = 24
SIZE = SECTORS * 512
TB20 = 20 * 10**12
ranges = st.tuples(st.integers(0, SECTORS - 1), st.integers(1, SECTORS)).map(
    lambda pair: Extent(pair[0] * 512, min(SECTORS, pair[0] + pair[1]) * 512)
)
patterns: st.SearchStrategy[Pattern] = st.sampled_from([Fill(0), Fill(7), Stamped("a"), Stamped("b")])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(ranges, patterns, st.booleans()), max_size=6), patterns, st.sampled_from([0, SIZE // 2, 512 * 7])
)
def test_media_hold_what_bytes_hold(writes: list[tuple[Extent, Pattern, bool]], wanted: Pattern, capacity: int) -> None:
    media, plain = Media(size=SIZE, capacity=capacity), bytearray(SIZE)
    wrap = capacity or SIZE
    for extent, pattern, as_bytes in writes:
        content = pattern_bytes(pattern, extent.start, extent.size)
        media.put(extent, content if as_bytes else pattern)
        for at in range(extent.start, extent.end):
            plain[at % wrap] = content[at - extent.start]
    seen = bytes(plain[at % wrap] for at in range(SIZE))
    assert media.read(Extent(0, SIZE)) == seen
    expected = pattern_bytes(wanted, 0, SIZE)
    differing = sum(512 for at in range(0, SIZE, 512) if seen[at : at + 512] != expected[at : at + 512])
    assert total_size(media.different(Extent(0, SIZE), wanted)) == differing


def test_a_large_disk_with_less_capacity_is_noticed_by_stamps_only() -> None:
    media, whole = Media(size=TB20, capacity=TB20 // 4), Extent(0, TB20)
    media.put(whole, Fill(0))
    assert media.different(whole, Fill(0)) == ()
    media.put(whole, Stamped("a"))
    assert media.different(whole, Stamped("a")) == (Extent(0, TB20 // 4 * 3),)


def test_dropped_writes_keep_the_former_content() -> None:
    media = Media(size=SIZE)
    media.put(Extent(0, SIZE), Stamped("former"))
    media.dropped = (Extent(1024, 2048),)
    media.put(Extent(0, SIZE), Fill(0))
    assert media.different(Extent(0, SIZE), Fill(0)) == (Extent(1024, 2048),)


def test_elided_values_hide_the_former_content_and_stamps_replace_it() -> None:
    media = Media(size=SIZE, elides=True)
    media.put(Extent(0, SIZE), Stamped("former"))
    media.put(Extent(0, SIZE), Fill(0))
    assert media.different(Extent(0, SIZE), Fill(0)) == ()
    assert [one.content for one in media.hidden] == [Stamped("former")]
    media.put(Extent(0, SIZE), Stamped("new"))
    assert media.hidden == ()


def test_what_was_not_flushed_is_undone_by_a_power_cut() -> None:
    media = Media(size=SIZE)
    media.put(Extent(0, SIZE), Stamped("former"))
    media.put(Extent(0, 1024), Fill(0), flushed=False)
    media.put(Extent(0, 512), Fill(1), flushed=False)
    media.apply_power_cut(None)
    assert media.different(Extent(0, SIZE), Stamped("former")) == ()


def test_a_drive_that_erased_itself_leaves_its_residue_and_what_it_spared() -> None:
    media, whole = Media(size=TB20), Extent(0, TB20)
    media.put(whole, Stamped("former"))
    media.forget_all(0x55, spared=(Extent(512, 1024),))
    assert media.different(whole, Fill(0x55)) == (Extent(512, 1024),)
    media.forget_all(None)
    assert media.different(whole, Stamped("former")) == (whole,)
