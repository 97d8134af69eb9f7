"""Runs of provisioning that ended neither well nor in a failure, from the states of a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.events import ProcessState
from gprov.domain.factory.run_history import unfinished_runs


@pytest.mark.parametrize(
    ("reports", "runs"),
    [
        ((), 0),
        ((("MFG_STARTED", 1),), 1),
        ((("MFG_STARTED", 1), ("MFG_STARTED", 2), ("MFG_STARTED", 2)), 2),
        ((("MFG_STARTED", 1), ("MFG_FAILED", 1), ("MFG_STARTED", 2)), 1),
        ((("MFG_STARTED", 1), ("MFG_SUCCEEDED", 1)), 0),
        ((("MFG_STARTED", 1), ("INIT_STARTED", 2), ("MFG_STARTED", 3)), 1),
    ],
)
def test_sessions_at_the_end_that_only_started(reports: tuple[tuple[str, int], ...], runs: int) -> None:
    assert unfinished_runs((ProcessState(state), session) for state, session in reversed(reports)) == runs


@given(st.lists(st.tuples(st.sampled_from(ProcessState), st.integers(1, 5))))
def test_there_are_at_most_as_many_as_sessions(reports: list[tuple[ProcessState, int]]) -> None:
    assert unfinished_runs(reports) <= len({session for _, session in reports})
