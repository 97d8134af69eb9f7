"""Which image comes first, and that everything is tried in the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.image.history import History
from gprov.domain.image.select import Preference, order_with_history, rank

PREFIX = "W."


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
