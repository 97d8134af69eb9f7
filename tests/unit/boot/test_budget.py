"""What retries cost: pauses grow to a day, never end, and every count can be lost without harm."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.budget import (
    DAY,
    GIVE_UP_SECONDS,
    MAX_COUNT,
    MAX_REASON_LENGTH,
    RESTORES_WITHOUT_PAUSE,
    UNCOUNTED_SECONDS,
    StartBudget,
    give_up_pause,
    parse_budget,
    restore_pause,
    serialise_budget,
)
from gprov.domain.errors import BadInput

HOUR_NS = 3600 * 10**9
NOW = 1_772_366_459 * 10**9


def test_pauses_after_giving_up_double_up_to_a_day() -> None:
    pauses = [give_up_pause(count) for count in range(10)]
    assert pauses == [600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, DAY, DAY]
    assert give_up_pause(MAX_COUNT) == DAY


def test_the_first_restores_begin_at_once_and_later_ones_once_a_day() -> None:
    assert [restore_pause(count, 300) for count in range(6)] == [0, 0, 0, 300, 600, 1200]
    assert restore_pause(MAX_COUNT, 300) == DAY
    assert RESTORES_WITHOUT_PAUSE == 3
    # Who asks for no pause at all gets one of seconds first.
    assert [restore_pause(count, 0) for count in range(3, 6)] == [0, 2, 4]


@given(st.integers(0, 2 * MAX_COUNT), st.floats(0, 1e6))
def test_no_pause_is_longer_than_a_day_or_what_was_asked_for_and_none_shrinks(count: int, first: float) -> None:
    assert restore_pause(count, first) <= restore_pause(count + 1, first) <= max(DAY, first)
    assert give_up_pause(count) <= give_up_pause(count + 1) <= DAY
    # Also who wants no pause at all gets one in the end.
    assert restore_pause(RESTORES_WITHOUT_PAUSE + 20, first) >= DAY


@given(st.integers(1, 20))
def test_a_unit_that_only_gives_up_starts_a_bounded_number_of_times_a_day(seed: int) -> None:
    budget, now, starts = StartBudget(), NOW * seed, 0
    end = now + 10 * 24 * HOUR_NS
    while now < end:
        budget = budget.at_time(now)
        pause = give_up_pause(budget.given_up)
        budget, starts = budget.with_boot_failure(now, "gone"), starts + 1
        now += int(pause * 1e9)
    assert starts < 20


def test_a_series_ends_when_a_day_has_passed_without_need() -> None:
    budget = StartBudget().with_boot_failure(NOW, "gone").with_restore_started(NOW, "x")
    assert budget.at_time(NOW + 24 * HOUR_NS) == budget
    assert budget.at_time(NOW + 25 * HOUR_NS) == StartBudget()
    # The longer the pause, the longer the series; and a clock that went back ends none.
    often = replace(budget, given_up=9)
    assert often.at_time(NOW + 47 * HOUR_NS) == often
    assert often.at_time(NOW + 49 * HOUR_NS) == StartBudget()
    assert often.at_time(0) == often


def test_what_resets_what() -> None:
    budget = StartBudget(given_up=5, restores=4, last_ns=NOW, reason="why", recorded_boots="W.1 3 2 1")
    assert budget.with_restore_completed() == replace(budget, given_up=0, recorded_boots="")
    assert budget.with_new_restore_series() == replace(budget, given_up=0, restores=1)
    assert budget.with_system_started() == StartBudget(recorded_boots="W.1 3 2 1")
    assert budget.with_restore_error("disk is gone").reason == "disk is gone"


@pytest.mark.parametrize(
    "data",
    [
        *(serialise_budget(StartBudget(last_ns=sign * ((1 << 63) + 1))) for sign in (-1, 1)),
        *(serialise_budget(StartBudget(given_up=count, restores=-1 if count else -2)) for count in (0, 1)),
        serialise_budget(StartBudget(given_up=-1)),
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"Version":2}',
        b'{"Version":1,"GivenUp":-1}',
        b'{"Version":1,"Restores":"2"}',
    ],
)
def test_damaged_files_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_budget("x", data)


BUDGETS = st.builds(
    StartBudget,
    given_up=st.integers(0, MAX_COUNT),
    restores=st.integers(0, MAX_COUNT),
    last_ns=st.integers(-(2**62), 2**62),
    reason=st.text(max_size=50),
)


@given(BUDGETS, st.text(st.characters(), max_size=400), st.integers(0, 2**62))
def test_round_trip_stays_bounded(budget: StartBudget, reason: str, now: int) -> None:
    assert parse_budget("x", serialise_budget(budget)) == budget
    for after in (
        budget.with_boot_failure(now, reason),
        budget.with_restore_started(now, reason),
        budget.with_restore_error(reason),
    ):
        assert parse_budget("x", serialise_budget(after)) == after
        assert len(after.reason) <= MAX_REASON_LENGTH
        assert max(after.given_up, after.restores) <= MAX_COUNT


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        parse_budget("x", data)


@given(BUDGETS, st.integers(0, 200), st.integers(0, 255))
def test_mutated_files(budget: StartBudget, at: int, byte: int) -> None:
    data = bytearray(serialise_budget(budget))
    data[at % len(data)] = byte
    with contextlib.suppress(BadInput):
        assert parse_budget("x", bytes(data)).given_up <= MAX_COUNT


def test_the_file_is_read_by_people_too() -> None:
    assert json.loads(
        serialise_budget(StartBudget(given_up=1, restores=2, last_ns=3, reason="why", recorded_boots="W.1 3 2 1"))
    ) == {
        "_comment": "gprov: consecutive boot failures and restores; delete this file to reset the counts",
        "Version": 1,
        "GivenUp": 1,
        "Restores": 2,
        "LastTime": 3,
        "Reason": "why",
        "CountedBoots": "W.1 3 2 1",
    }
    assert serialise_budget(StartBudget()).decode().splitlines()[1] == (
        ' "_comment": "gprov: consecutive boot failures and restores; delete this file to reset the counts",'
    )


def test_what_is_counted_and_what_stays() -> None:
    assert StartBudget() == StartBudget(given_up=0, restores=0, last_ns=0, reason="", recorded_boots="")
    before = StartBudget(given_up=5, restores=4, last_ns=1, reason="why", recorded_boots="W.1 3 2 1")
    assert before.with_boot_failure(NOW, "gone") == StartBudget(
        given_up=6, restores=4, last_ns=NOW, reason="gone", recorded_boots="W.1 3 2 1"
    )
    assert before.with_restore_started(NOW, "flag") == StartBudget(
        given_up=5, restores=5, last_ns=NOW, reason="flag", recorded_boots="W.1 3 2 1"
    )
    assert replace(before, given_up=MAX_COUNT).with_boot_failure(NOW, "").given_up == MAX_COUNT == 1000
    assert replace(before, restores=MAX_COUNT).with_restore_started(NOW, "").restores == MAX_COUNT
    assert len(before.with_restore_error("x" * 1000).reason) == MAX_REASON_LENGTH == 300
    assert before.with_restore_error("\udcff").reason == "?"
    long = StartBudget(reason="x" * 400, recorded_boots="y" * 400)
    assert parse_budget("x", serialise_budget(long)) == StartBudget(reason="x" * 300, recorded_boots="y" * 300)


def test_a_series_lasts_a_day_behind_the_longer_of_both_pauses() -> None:
    day = 24 * HOUR_NS
    for budget, pause in (
        (StartBudget(last_ns=NOW), 600),
        (StartBudget(given_up=1, last_ns=NOW), 1200),
        (StartBudget(restores=5, last_ns=NOW), 2400),
        (StartBudget(given_up=3, restores=5, last_ns=NOW), 4800),
    ):
        end = NOW + day + pause * 10**9
        assert budget.at_time(end) == budget
        assert budget.at_time(end + 10**3) == StartBudget()
    counted = StartBudget(given_up=1, restores=2, last_ns=NOW, reason="why", recorded_boots="W.1 3 2 1")
    assert counted.at_time(NOW + 3 * day) == StartBudget(recorded_boots="W.1 3 2 1")


def test_pauses_while_counting_is_impossible() -> None:
    assert (GIVE_UP_SECONDS, UNCOUNTED_SECONDS, DAY) == (600, 1800, 86400)
