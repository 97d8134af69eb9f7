"""Which image comes first, and that everything is tried in the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.image.history import History
from gprov.domain.image.select import Preference, order_with_history, rank

PREFIX = "W."
# Values of the earlier Go system's tests (pkg/recovery/archive), in the order in which it ranked them.
PRODUCT = "WIDGET.LNX.SHINY."
MIXED = (
    f"{PRODUCT}2018-04-26.6940.upd",
    f"{PRODUCT}2018-04-05.7038.upd",
    f"{PRODUCT}2018-04-05.7037.upd",
    "PRODUCT.OtherOS.Platform-02.2016-09-02.4808.upd",
    "PRODUCT.OtherOS.Platform-02.2016-08-31.4798.upd",
    "PRODUCT.OS3.Platform-02.2015-12-03.2000.upd",
    "PRODUCT.Os.Platform-02.2015-05-33.1593.gho",
    "PRODUCT.Os.Platform-02.2015-02-33.1593.gho",
    "PRODUCT.Os.Platform-02.2014-05-33.1594.gho",
    "PRODUCT.Os.Platform-02.2014-05-33.1593.gho",
    "PRODUCT.Os.Platform-02.2015-02-a3.1593.gho",
    "PRODUCT.Os.Platform-02.2015-02-03.193o.gho",
    "PRODUCT.Os.Platform-02.2015-02-3.1593.gho",
    "PRODUCT.Os.Platform-02.2015-02033.1593.gho",
)


def failing(name: str, times: int) -> History:
    history = History()
    for _ in range(times):
        history = history.with_failure(name, "x")
    return history


def test_rank() -> None:
    files = ["W.2024-01-01.9.upd", "W.2024-01-01.10.upd", "readme", "W.2023-06-01.1.upd", "W.2024-13-01.1.upd"]
    newest = rank(files, PREFIX, Preference.LATEST)
    assert [name.stem for name in newest.candidates] == ["W.2024-01-01.10", "W.2024-01-01.9", "W.2023-06-01.1"]
    assert rank(files, PREFIX, Preference.OLDEST).candidates == newest.candidates[::-1]
    assert [one.filename for one in newest.rejected] == ["W.2024-13-01.1.upd", "readme"]
    assert "2024-13-01 is not in the calendar" in newest.rejected[0].reason


def test_what_belongs_beside_images_is_neither_candidate_nor_rejected() -> None:
    image = "W.2024-01-01.9.upd"
    newest = rank([image, f"{image}.manifest", f"{image}.manifest.minisig", "trust.chain"], PREFIX, Preference.LATEST)
    assert [name.filename for name in newest.candidates] == [image]
    assert newest.rejected == ()


def test_rank_of_images_of_several_products() -> None:
    """Images of other products and names that are none were candidates there, the latter as the oldest ones. Here they
    are refused: they would become the "original" image."""
    for files in (MIXED, MIXED[::-1]):
        newest = rank(files, PRODUCT, Preference.LATEST)
        assert tuple(name.filename for name in newest.candidates) == MIXED[:3]
        assert {one.filename for one in newest.rejected} == set(MIXED[3:])
    others = rank(MIXED, "PRODUCT.OtherOS.Platform-02.", Preference.LATEST)
    assert tuple(name.filename for name in others.candidates) == MIXED[3:5]


@pytest.mark.parametrize(("failures", "tried_first"), [(0, True), (1, True), (5, True), (6, False)])
def test_how_many_failures_put_an_image_behind(failures: int, tried_first: bool) -> None:
    """Values of the earlier Go system's tests (pkg/recovery/history): restores and boots count together."""
    names = rank([MIXED[0]], PRODUCT, Preference.LATEST).candidates
    for in_boots in range(failures + 1):
        history = failing(names[0].stem, failures - in_boots)
        history = history.with_boot_results(names[0].stem, in_boots, 0, in_boots)
        assert order_with_history(names, history) == ((names, ()) if tried_first else ((), names))


def test_history_puts_failing_images_behind() -> None:
    names = rank((f"W.2024-01-0{day}.1.upd" for day in (1, 2, 3, 4)), PREFIX, Preference.LATEST).candidates
    history = History((*failing("W.2024-01-04.1", 9).results, *failing("W.2024-01-03.1", 6).results))
    history = History((*history.results, *failing("W.2024-01-02.1", 5).results))
    first, second = order_with_history(names, history)
    assert [name.stem for name in first] == ["W.2024-01-02.1", "W.2024-01-01.1"]
    assert [name.stem for name in second] == ["W.2024-01-03.1", "W.2024-01-04.1"]


def test_the_only_image_is_tried_with_any_history() -> None:
    names = rank(["W.2024-01-04.1.upd"], PREFIX, Preference.LATEST).candidates
    assert order_with_history(names, failing("W.2024-01-04.1", 99)) == ((), names)


@given(st.lists(st.integers(1, 28), unique=True), st.data())
def test_every_candidate_is_tried_once(days: list[int], data: st.DataObject) -> None:
    names = rank((f"W.2024-01-{day:02}.1.upd" for day in days), PREFIX, Preference.LATEST).candidates
    history = History()
    for name in names:
        history = History((*history.results, *failing(name.stem, data.draw(st.integers(0, 9))).results))
    first, second = order_with_history(names, history)
    assert sorted((*first, *second)) == sorted(names)
    assert list(first) == sorted(first, reverse=True)
    assert [history.failures(name.stem) for name in second] == sorted(history.failures(name.stem) for name in second)
