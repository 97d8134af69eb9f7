"""Times at which the owner of a unit allows a restore."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.update.window import (
    DAY_MINUTES,
    DAYS,
    LocalMinute,
    Window,
    describe_windows,
    is_allowed,
    minutes_until,
    parse_window,
)

WEEK = 7 * DAY_MINUTES
windows = st.builds(
    Window, st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, DAY_MINUTES - 1), st.integers(1, DAY_MINUTES)
).filter(lambda window: window.begin != window.end)
moments = st.builds(LocalMinute, st.integers(0, 6), st.integers(0, DAY_MINUTES - 1))


def minutes_of(window: Window) -> set[int]:
    """All minutes of the week in the window, counted one by one."""
    length = (window.end - window.begin) % DAY_MINUTES or DAY_MINUTES
    starts = [day * DAY_MINUTES + window.begin for day in window.weekdays]
    return {(start + step) % WEEK for start in starts for step in range(length)}


@given(windows, moments)
def test_a_window_holds_the_minutes_from_its_begin_to_its_end(window: Window, now: LocalMinute) -> None:
    assert window.holds(now) == (now.weekday * DAY_MINUTES + now.minute in minutes_of(window))


@given(windows)
def test_a_window_is_read_as_it_is_described(window: Window) -> None:
    assert parse_window(window.describe()) == window


@given(st.text(max_size=30))
def test_any_text_is_a_window_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert parse_window(text).weekdays


@pytest.mark.parametrize(
    ("text", "now", "allowed"),
    [
        ("Sat,Sun 02:00-04:00", LocalMinute(5, 120), True),
        ("Sat,Sun 02:00-04:00", LocalMinute(6, 239), True),
        ("Sat,Sun 02:00-04:00", LocalMinute(6, 240), False),
        ("Sat,Sun 02:00-04:00", LocalMinute(0, 180), False),
        ("Fri-Mon 22:00-05:00", LocalMinute(1, 299), True),  # Tuesday morning, begun on Monday
        ("Fri-Mon 22:00-05:00", LocalMinute(4, 120), False),  # Friday morning, begun on Thursday
        ("mon 00:00-24:00", LocalMinute(0, 1439), True),
        ("02:00-04:00", LocalMinute(3, 200), True),
    ],
)
def test_examples(text: str, now: LocalMinute, allowed: bool) -> None:
    assert is_allowed([parse_window(text)], now) is allowed


def test_without_windows_any_time_is_allowed() -> None:
    assert is_allowed([], LocalMinute(2, 3))
    assert describe_windows([]) == "any time"
    two = [parse_window("Sat 02:00-04:00"), parse_window("05:00-06:00")]
    assert describe_windows(two) == "Sat 02:00-04:00 or 05:00-06:00"
    assert is_allowed(two, LocalMinute(0, 330))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be days and times"),
        ("Sat", "must be days and times"),
        ("Caturday 02:00-04:00", "must be days and times"),
        ("Sat, 02:00-04:00", "must be days and times"),
        ("02:00-02:00", "ends when it begins"),
        ("24:00-02:00", "has a time that no day has"),
        ("02:60-03:00", "has a time that no day has"),
        ("02:00-25:00", "has a time that no day has"),
        ("2:00-4:00", "must be days and times"),
    ],
)
def test_what_is_no_window_is_said(text: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_window(text)
    assert caught.value.problems[0].message.startswith(problem)


def test_days_are_those_of_a_week() -> None:
    assert [parse_window(f"{day} 00:00-01:00").weekdays for day in DAYS] == [frozenset({day}) for day in range(7)]


@given(st.lists(windows, min_size=1, max_size=3), moments)
def test_the_next_window_is_the_first_minute_that_is_allowed(several: list[Window], now: LocalMinute) -> None:
    if is_allowed(several, now):
        return
    here = now.weekday * DAY_MINUTES + now.minute
    later = ((here + step) % WEEK for step in range(1, WEEK))
    first = next(minute for minute in later if is_allowed(several, LocalMinute(*divmod(minute, DAY_MINUTES))))
    assert minutes_until(several, now) == (first - here) % WEEK
