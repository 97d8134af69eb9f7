"""Runs of provisioning that ended neither well nor in a failure, from the server's reply about a unit."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.events import ProcessState
from gprov.domain.factory.run_history import decode_unfinished_runs


def reply(*reports: tuple[str, int, str]) -> bytes:
    states = [{"state": state, "session": session, "verdict": verdict} for state, session, verdict in reports]
    return json.dumps({"summary": {}, "states": states}).encode()


@pytest.mark.parametrize(
    ("reports", "runs"),
    [
        ((), 0),
        ((("MFG_STARTED", 1, "applied"),), 1),
        ((("MFG_STARTED", 1, "applied"), ("MFG_STARTED", 2, "applied"), ("MFG_STARTED", 2, "applied")), 2),
        ((("MFG_STARTED", 1, "applied"), ("MFG_FAILED", 1, "applied"), ("MFG_STARTED", 2, "applied")), 1),
        ((("MFG_STARTED", 1, "applied"), ("MFG_SUCCEEDED", 1, "applied")), 0),
        ((("MFG_STARTED", 1, "applied"), ("MFG_SUCCEEDED", 1, "contradicted"), ("MFG_STARTED", 2, "applied")), 2),
        ((("MFG_STARTED", 1, "applied"), ("INIT_STARTED", 2, "applied"), ("MFG_STARTED", 3, "applied")), 1),
    ],
)
def test_sessions_at_the_end_that_only_started(reports: tuple[tuple[str, int, str], ...], runs: int) -> None:
    assert decode_unfinished_runs(reply(*reports)) == runs


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", reply(("MFG_BEGUN", 1, "applied")), b'{"states": [1]}'])
def test_other_replies_are_problems(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_unfinished_runs(data)


@given(
    st.lists(st.tuples(st.sampled_from([state.value for state in ProcessState]), st.integers(1, 5), st.just("applied")))
)
def test_there_are_at_most_as_many_as_sessions(reports: list[tuple[str, int, str]]) -> None:
    with suppress(BadInput):
        assert decode_unfinished_runs(reply(*reports)) <= len({session for _, session, _ in reports})
