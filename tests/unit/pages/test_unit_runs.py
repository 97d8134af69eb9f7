"""Runs of a unit from its state reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.events import ProcessState
from gprov.domain.factory.states import FAILED, SUCCEEDED, Flow
from gprov.domain.factory.view.unit_runs import Run, RunEnd, TimedState, runs_of

S = ProcessState
SECOND = 10**9


def test_provisioning_and_restore() -> None:
    reports = [
        TimedState(S.MFG_STARTED, 10 * SECOND, 1),
        TimedState(S.MFG_SUCCEEDED, 70 * SECOND, 1),
        TimedState(S.FR_STARTED, 80 * SECOND, 2),
        TimedState(S.FR_SUCCEEDED, 100 * SECOND, 2),
    ]
    first, second = runs_of(reports)
    assert (first.flow, first.end, first.duration_ns) == (Flow.MFG, RunEnd.SUCCEEDED, 60 * SECOND)
    assert (second.flow, second.end, second.duration_ns) == (Flow.FR, RunEnd.SUCCEEDED, 20 * SECOND)


def test_a_run_that_another_session_begins_again_has_no_end() -> None:
    lost, repeated = runs_of([TimedState(S.MFG_STARTED, 1, 1), TimedState(S.MFG_STARTED, 2, 2)])
    assert (lost.end, lost.ended_ns, lost.duration_ns) == (RunEnd.NOT_REPORTED, None, None)
    assert repeated.end is RunEnd.OPEN


def test_an_end_of_another_session_ends_no_run() -> None:
    lost, other = runs_of([TimedState(S.FR_STARTED, 1, 1), TimedState(S.FR_FAILED, 2, 2)])
    assert lost.end is RunEnd.NOT_REPORTED
    assert other == Run(flow=Flow.FR, session=2, began_ns=None, ended_ns=2, end=RunEnd.FAILED)


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    (run,) = runs_of([TimedState(S.FR_STARTED, 5, 1), TimedState(S.FR_FAILED, 2, 1)])
    assert run.duration_ns == 0


reports = st.lists(st.builds(TimedState, st.sampled_from(S), st.integers(0, 10**18), st.integers(1, 3)), max_size=30)


@given(reports)
def test_every_report_belongs_to_one_run(reported: list[TimedState]) -> None:
    runs = runs_of(reported)
    begins = [each.time_ns for each in reported if each.state.value.endswith("_STARTED")]
    ends = [each for each in reported if each.state in FAILED | SUCCEEDED]
    assert [run.began_ns for run in runs if run.began_ns is not None] == begins
    assert [run.ended_ns for run in runs if run.ended_ns is not None] == [each.time_ns for each in ends]
    assert sum(run.end is RunEnd.FAILED for run in runs) == sum(each.state in FAILED for each in ends)
    assert all(run.end is not RunEnd.OPEN for run in runs[:-1])
