"""What leaves RECOVERY: never what a restore may need."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.image.history import MAX_FAILURES, History, ImageResult
from gprov.domain.image.name import ImageName
from gprov.domain.image.retention import (
    KEPT_IMAGES,
    ImageFacts,
    StoredFile,
    StoredImage,
    plan_images,
    plan_logs,
    space_for_update,
)
from gprov.domain.log_files import log_order, next_log_name

GIB = 1 << 30


def image(day: int, size: int = GIB) -> StoredImage:
    return StoredImage(ImageName(date(2026, 1, day), 1, "1", "W."), size)


def name(day: int) -> str:
    return image(day).name.filename


def failing(*days: int) -> History:
    return History(tuple(ImageResult(image=image(day).name.stem, boot_failures=MAX_FAILURES + 1) for day in days))


def gone(facts: ImageFacts) -> list[str]:
    return [removal.name for removal in plan_images(facts)]


FIVE = tuple(image(day) for day in range(1, 6))


def test_the_original_and_the_newest_stay() -> None:
    assert gone(ImageFacts(images=FIVE, protected=frozenset({name(5)}))) == [name(2)]
    assert plan_images(ImageFacts(images=FIVE))[0].reason == "older than the 3 newest good ones"


def test_an_image_that_failed_too_often_does_not_count_as_one_of_the_newest() -> None:
    assert gone(ImageFacts(images=FIVE, history=failing(5))) == [name(5)]
    assert plan_images(ImageFacts(images=FIVE, history=failing(5)))[0].reason == "failed 6 times"


def test_a_rejected_image_is_removed_only_for_space_and_is_not_one_of_the_newest() -> None:
    history = History().with_rejection(image(5).name.stem, "refused")
    assert gone(ImageFacts(images=FIVE, history=history)) == []
    assert gone(ImageFacts(images=FIVE, history=history, required=GIB)) == [name(5)]
    assert gone(ImageFacts(images=FIVE, history=history, required=GIB, protected=frozenset({name(5)}))) == [name(2)]


def test_if_none_is_good_all_stay() -> None:
    everything = failing(1, 2, 3, 4, 5)
    assert gone(ImageFacts(images=FIVE, history=everything)) == []
    assert gone(ImageFacts(images=FIVE, history=everything, required=99 * GIB)) == []


def test_the_restored_image_always_stays() -> None:
    assert gone(ImageFacts(images=FIVE, history=failing(2), protected=frozenset({name(2)}), required=99 * GIB)) == [
        name(3),
        name(4),
    ]


def test_the_least_useful_images_are_removed_first() -> None:
    partial = StoredFile(name(9) + ".partial", GIB)
    facts = ImageFacts(
        images=FIVE,
        partials=(partial,),
        history=failing(4),
        protected=frozenset({name(5)}),
        free=0,
        required=2 * GIB + 1,
    )
    assert gone(facts) == [name(4), partial.name, name(2)]
    assert gone(ImageFacts(images=FIVE[:2], partials=(partial,), free=GIB, required=GIB)) == []
    assert gone(ImageFacts(images=FIVE[:2], partials=(partial,), free=0, required=GIB)) == [partial.name]


def test_free_space_for_an_update_depends_on_the_largest_image() -> None:
    assert space_for_update([image(1, 1000), image(2, 10)]) == 1100
    assert space_for_update([]) == 0


IMAGES = st.lists(
    st.tuples(st.integers(1, 28), st.integers(0, 9), st.integers(0, 12)), unique_by=lambda item: item[0], max_size=12
)


@given(
    IMAGES, st.lists(st.integers(0, 9), max_size=3), st.sets(st.integers(1, 28), max_size=3), st.integers(0, 60),
    st.integers(0, 60),
)  # fmt: skip
def test_required_images_stay_and_space_is_freed_if_possible(
    found: list[tuple[int, int, int]], partials: list[int], protected: set[int], free: int, wanted: int
) -> None:
    images = tuple(image(day, size) for day, size, _ in found)
    history = History(
        tuple(
            ImageResult(image=image(day).name.stem, imaging_failures=failures) for day, _, failures in found if failures
        )
    )
    halves = tuple(StoredFile(f"{index}.partial", size) for index, size in enumerate(partials))
    facts = ImageFacts(
        images=images,
        partials=halves,
        history=history,
        protected=frozenset(name(day) for day in protected),
        free=free,
        required=wanted,
    )
    removals = plan_images(facts)
    names = [removal.name for removal in removals]
    assert len(set(names)) == len(names)
    assert set(names) <= {one.name.filename for one in images} | {half.name for half in halves}
    assert not set(names) & facts.protected
    assert all(removal.reason for removal in removals)
    good = sorted(day for day, _, failures in found if failures <= MAX_FAILURES)
    if found:
        assert name(min(day for day, _, _ in found)) not in names
    if good:
        assert name(good[-1]) not in names
        kept = [day for day in good if name(day) not in names]
        made = free + sum(removal.size for removal in removals)
        stay = {name(day) for day in protected} | {name(good[-1]), name(min(day for day, _, _ in found))}
        if made < wanted:
            assert {name(day) for day, _, _ in found} - set(names) <= stay
        elif wanted <= free:
            assert kept[-KEPT_IMAGES:] == good[-KEPT_IMAGES:]
    else:
        assert not any(one.name.filename in names for one in images)


# --- logs -------------------------------------------------------------------------------------------------------------


def log(day: int, size: int = 1, stage: str = "recov", times: int = 0) -> StoredFile:
    return StoredFile(f"{stage}202601{day:02}_0000{f'-{times}' if times else ''}.log", size)


def test_the_oldest_logs_go() -> None:
    files = [log(2), log(1), log(1, times=1), log(3), StoredFile("netd.tar", 9), log(1, stage="mfg")]
    assert [removal.name for removal in plan_logs(files, max_files=2)] == [log(1).name, log(2).name]
    assert [removal.name for removal in plan_logs(files, current=log(1).name, max_files=2)] == [log(2).name]


def test_logs_are_bounded_by_bytes_too_but_for_the_newest() -> None:
    files = [log(day, 10) for day in range(1, 6)]
    assert [removal.name for removal in plan_logs(files, max_bytes=25)] == [log(day).name for day in (1, 2, 3)]
    assert [removal.name for removal in plan_logs(files, max_bytes=5)] == [log(day).name for day in (1, 2, 3, 4)]


@given(
    st.lists(st.builds(log, st.integers(1, 28), st.integers(0, 9), st.sampled_from(["recov", "mfg"]))),
    st.integers(1, 9), st.integers(0, 60),
)  # fmt: skip
def test_logs_stay_bounded(files: list[StoredFile], most: int, limit: int) -> None:
    files = list({file.name: file for file in files}.values())
    gone = {removal.name for removal in plan_logs(files, max_files=most, max_bytes=limit)}
    left = [file for file in files if file.name not in gone]
    for stage in ("recov", "mfg"):
        of_stage = [file.name for file in files if file.name.startswith(stage)]
        assert sum(file.name.startswith(stage) for file in left) <= most
        if of_stage:
            assert max(of_stage, key=lambda name: log_order(name) or (0, "")) not in gone
    newest = sum(
        max((file.size for file in left if file.name.startswith(stage)), default=0) for stage in ("recov", "mfg")
    )
    assert sum(file.size for file in left) <= limit + newest


@given(st.lists(st.integers(-(2**60), 2**62), max_size=30), st.sampled_from(["recov", "mfg"]))
def test_no_clock_makes_two_logs_collide_or_come_out_of_order(times: list[int], stage: str) -> None:
    names: list[str] = ["netd.tar", "recovery_history.json"]
    for time_ns in times:
        names.append(next_log_name(stage, time_ns, names))
    orders = [order for one in names[2:] if (order := log_order(one)) is not None]
    assert len(orders) == len(times)
    assert orders == sorted(set(orders))


@pytest.mark.parametrize("stage", ["recov", "provision", "data_erase", "shell"])
def test_logs_of_every_stage_are_known(stage: str) -> None:
    assert log_order(next_log_name(stage, 1_750_000_000 * 10**9, ())) is not None


@pytest.mark.parametrize("text", ["", "recov.log", "recov20260101_00.log", "x.log", "recov20260101_0000-.log", "a/b"])
def test_other_files_are_not_logs(text: str) -> None:
    assert log_order(text) is None
