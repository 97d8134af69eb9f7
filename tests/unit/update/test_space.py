"""Room on RECOVERY for an image."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.image.history import History, ImageResult
from gprov.domain.image.name import ImageName
from gprov.domain.image.retention import ImageFacts, StoredFile, StoredImage
from gprov.domain.update.space import RESERVE, NoRoom, Room, make_room

PREFIX = "WIDGET.LNX.SHINY."
MIB = 1 << 20


def image(number: int, size: int) -> StoredImage:
    return StoredImage(ImageName(date(2026, 1, 1), number, str(number), PREFIX), size)


images = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 500)), max_size=8, unique_by=lambda pair: pair[0])
counts = st.dictionaries(st.integers(1, 40), st.integers(0, 9), max_size=8)


@st.composite
def facts(draw: st.DrawFn) -> ImageFacts:
    stored = tuple(image(number, size * MIB) for number, size in draw(images))
    history = History(
        tuple(
            ImageResult(image=image(number, 0).name.stem, imaging_failures=failures)
            for number, failures in draw(counts).items()
        )
    )
    protected = draw(st.sets(st.sampled_from([one.name.filename for one in stored]), max_size=2)) if stored else set()
    partials = tuple(StoredFile(f"x{number}.upd.partial", size * MIB) for number, size in draw(images)[:2])
    return ImageFacts(
        images=stored,
        partials=partials,
        history=history,
        protected=frozenset(protected),
        free=draw(st.integers(0, 900)) * MIB,
    )


@given(facts(), st.integers(1, 1000))
def test_room_is_enough_and_no_more_than_needed_is_removed(found: ImageFacts, mebibytes: int) -> None:
    missing = mebibytes * MIB
    room = make_room(found, missing)
    if isinstance(room, NoRoom):
        assert f"{mebibytes} MiB are to be downloaded" in room.reason
        return
    gains = [removal.size for removal in room.removals]
    assert found.free + sum(gains) >= missing + RESERVE
    if gains:
        assert found.free + sum(gains[:-1]) < missing + RESERVE


@given(facts(), st.integers(1, 1000))
def test_neither_the_running_image_nor_the_last_good_one_is_removed(found: ImageFacts, mebibytes: int) -> None:
    room = make_room(found, mebibytes * MIB)
    if isinstance(room, NoRoom):
        return
    gone = {removal.name for removal in room.removals}
    assert not gone & found.protected
    good = [one for one in found.images if found.history.failures(one.name.stem) <= 5]
    assert not good or {one.name.filename for one in good} - gone


def test_without_need_nothing_goes() -> None:
    many = tuple(image(number, MIB) for number in range(1, 10))
    assert make_room(ImageFacts(images=many, free=100 * MIB), 10 * MIB) == Room(())


def test_the_numbers_are_said() -> None:
    one = ImageFacts(images=(image(1, 500 * MIB),), free=5 * MIB)
    room = make_room(one, 100 * MIB)
    assert room == NoRoom(
        "RECOVERY is too small: 100 MiB are to be downloaded, and 32 MiB must stay free;"
        " 5 MiB are free, and images that may go have 0"
    )
