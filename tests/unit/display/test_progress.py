"""Rate and time left of progress: nothing until enough is known, and no nonsense after that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.display.progress import ProgressViews
from gprov.domain.display.units import format_bytes, format_time_left
from gprov.domain.display.views import ProgressView
from gprov.domain.estimate import FRACTION, LEAST_SECONDS
from gprov.domain.events import Progress

MB, GB = 10**6, 10**9


def shown(*samples: tuple[float, int], total: int = 10 * GB, task: str = "unpack") -> ProgressView:
    views = ProgressViews()
    view = ProgressView(task=task, done=-1, total=total)
    for seconds, done in samples:
        view = views.view(Progress(task, done, total), seconds)
    return view


def test_nothing_is_said_before_there_is_enough_data() -> None:
    assert shown((100, 0)) == ProgressView(task="unpack", done=0, total=10 * GB)
    assert shown((100, 0), (101, GB)) == ProgressView(task="unpack", done=GB, total=10 * GB)
    assert shown((100, 0), (100 + LEAST_SECONDS - 0.1, GB)).seconds_left is None


def test_rate_and_time_left_follow_from_the_last_minute() -> None:
    assert shown((0, 0), (10, GB)) == ProgressView(
        task="unpack", done=GB, total=10 * GB, rate=100 * MB, seconds_left=90.0
    )
    steady = [(second, second * 10 * MB) for second in range(200)]
    slow = [(199 + second, 1990 * MB + second * MB) for second in range(1, 100)]
    view = shown(*steady, *slow)
    assert view.rate == 1 * MB
    assert view.seconds_left == (10 * GB - view.done) / MB


def test_a_task_that_does_not_move_has_no_time_left() -> None:
    view = shown(*[(second, GB) for second in range(100)])
    assert (view.rate, view.seconds_left) == (0.0, None)


def test_a_task_that_begins_anew_is_measured_anew() -> None:
    view = shown((0, 5 * GB), (100, 9 * GB), (101, 0))
    assert (view.rate, view.seconds_left) == (0.0, None)


def test_without_a_total_there_is_a_rate_only() -> None:
    view = shown((0, 0), (10, GB), total=0)
    assert (view.rate, view.seconds_left) == (100 * MB, None)


def test_a_share_of_work_has_a_time_left_and_no_rate_in_bytes() -> None:
    view = shown((0, 0), (60, FRACTION // 2), total=FRACTION)
    assert (view.rate, round(view.seconds_left or 0, 6)) == (0.0, 60)


def test_tasks_are_measured_apart() -> None:
    views = ProgressViews()
    for second in range(10):
        views.view(Progress("a", second * MB, GB), second)
        views.view(Progress("b", second * 2 * MB, GB), second)
    assert views.view(Progress("b", 20 * MB, GB), 10).rate == 2 * MB


def test_a_finished_task_that_comes_again_is_measured_anew() -> None:
    views = ProgressViews()
    for seconds, done in ((0, 0), (10, GB)):
        views.view(Progress("a", done, GB), seconds)
    assert views.view(Progress("a", 0, GB), 1000).rate == 0


@given(st.lists(st.tuples(st.floats(0, 1e5), st.integers(0, 10**13)), max_size=50), st.integers(0, 10**13))
def test_rate_and_time_left_are_never_negative(steps: list[tuple[float, int]], total: int) -> None:
    views, now = ProgressViews(), 0.0
    for pause, done in steps:
        now += pause
        view = views.view(Progress("task", done, total), now)
        assert view.rate >= 0
        assert view.seconds_left is None or view.seconds_left >= 0
        assert view.seconds_left is None or done < total or view.seconds_left == 0


@given(st.integers(1, 10**6), st.integers(30, 10**4))
def test_the_time_left_of_a_steady_task_is_right(rate: int, length: int) -> None:
    views = ProgressViews()
    shown = []
    for second in range(min(length, 100)):
        left = views.view(Progress("task", second * rate, length * rate), second).seconds_left
        shown.append(left)
        assert left is None or abs(left - (length - second)) < 1e-3 * length
    assert None not in shown[int(LEAST_SECONDS) :]


@given(st.floats(0, 9e20))
def test_quantities_are_short_and_right(count: float) -> None:
    text = format_bytes(count)
    number, unit = text.split()
    value = float(number) * 1000 ** ["B", "kB", "MB", "GB", "TB", "PB", "EB"].index(unit)
    assert len(text) <= 6
    assert abs(value - count) <= max(0.5, 0.06 * count)


@given(st.floats(0, 1e8))
def test_times_are_short_and_not_too_small(seconds: float) -> None:
    text = format_time_left(seconds)
    assert len(text) <= 9
    if text.startswith(">"):
        assert seconds > 99 * 86400
        return
    units = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
    words = text.split()
    value = sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    step = units[words[-1]]
    assert seconds <= value < seconds + step + 1


def test_forms_of_times_and_quantities() -> None:
    times = (0, 119, 119.5, 120, 5940, 5941, 86400, 86401, 99 * 86400, 200 * 86400)
    assert [format_time_left(time) for time in times] == (
        ["0 s", "119 s", "2 min", "2 min", "99 min", "1 h 40 m", "24 h 00 m", "1 d 01 h", "99 d 00 h", ">99 d"]
    )
    assert [format_bytes(count) for count in (0, 999, 1000, 9949, 9950, 999_499, 999_500, 12.3e9)] == (
        ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "12 GB"]
    )
