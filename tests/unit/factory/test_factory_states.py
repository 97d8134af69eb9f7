"""How the state of a unit follows from its reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.events import ProcessState as S
from gprov.domain.factory.states import (
    FAILED,
    SUCCEEDED,
    Flow,
    SessionReports,
    UnitStatus,
    Verdict,
    advance,
    flow_of,
    judge,
)

states = st.sampled_from(S)


def test_flows() -> None:
    assert flow_of(S.MFG_STARTED) is Flow.MFG
    assert flow_of(S.FR_FAILED) is Flow.FR
    assert flow_of(S.INIT_SUCCEEDED) is Flow.INIT
    assert flow_of(S.UNKNOWN) is None
    assert len(FAILED) == len(SUCCEEDED) == 3


@pytest.mark.parametrize(
    ("state", "number", "session", "current", "verdict"),
    [
        (S.MFG_STARTED, None, SessionReports(), False, Verdict.APPLIED),
        (S.MFG_STARTED, None, SessionReports((S.MFG_STARTED,), True), True, Verdict.REPEATED),
        (S.MFG_STARTED, None, SessionReports((S.MFG_STARTED,), True), False, Verdict.APPLIED),
        (S.MFG_SUCCEEDED, None, SessionReports((S.MFG_STARTED, S.MFG_FAILED), True), True, Verdict.CONTRADICTED),
        (S.FR_SUCCEEDED, None, SessionReports((S.MFG_STARTED, S.MFG_FAILED), True), True, Verdict.APPLIED),
        (S.MFG_FAILED, None, SessionReports((S.MFG_STARTED, S.MFG_SUCCEEDED), True), True, Verdict.APPLIED),
        # a second try in the same session
        (S.MFG_STARTED, None, SessionReports((S.MFG_STARTED, S.MFG_FAILED), True), True, Verdict.APPLIED),
        (
            S.MFG_SUCCEEDED,
            None,
            SessionReports((S.MFG_STARTED, S.MFG_FAILED, S.MFG_STARTED), True),
            True,
            Verdict.APPLIED,
        ),
        # the log lags behind direct reports
        (S.MFG_STARTED, 5, SessionReports((S.MFG_STARTED, S.MFG_SUCCEEDED), True), True, Verdict.LATE),
        # the log alone
        (S.MFG_STARTED, 5, SessionReports(), False, Verdict.APPLIED),
        (S.MFG_SUCCEEDED, 9, SessionReports((S.MFG_STARTED,), False, 5), True, Verdict.APPLIED),
        (S.MFG_STARTED, 5, SessionReports((S.MFG_STARTED, S.MFG_SUCCEEDED), False, 9), True, Verdict.LATE),
        (S.MFG_STARTED, 0, SessionReports(), False, Verdict.APPLIED),
        # the last event again, after another session reported
        (S.MFG_STARTED, 5, SessionReports((S.MFG_STARTED,), False, 5), False, Verdict.LATE),
    ],
)
def test_judge(state: S, number: int | None, session: SessionReports, current: bool, verdict: Verdict) -> None:
    assert judge(state, number, session, current=current) is verdict


@dataclass
class Session:
    """One session and its unit, as the server keeps them."""

    applied: list[S] = field(default_factory=list)
    direct: bool = False
    last_number: int = -1
    status: UnitStatus = field(default_factory=UnitStatus)

    def report(self, state: S, number: int | None) -> None:
        reports = SessionReports(self.applied, self.direct, self.last_number)
        verdict = judge(state, number, reports, current=bool(self.applied))
        self.direct = self.direct or number is None
        if number is not None:
            self.last_number = max(number, self.last_number)
        if verdict is Verdict.APPLIED:
            self.applied.append(state)
            self.status = advance(self.status, state)


@settings(max_examples=200)
@given(st.lists(states, max_size=8), st.data())
def test_reporting_both_ways_has_the_result_of_direct_reports_alone(sequence: list[S], data: st.DataObject) -> None:
    """A flow that reports directly and through its log ends as if it had only reported directly, however late the log
    comes."""
    alone, both = Session(), Session()
    log: list[tuple[S, int]] = []
    for number, state in enumerate(sequence):
        log.append((state, number))
        if data.draw(st.booleans(), "the log is faster"):
            _deliver(both, log, data)
        alone.report(state, None)
        both.report(state, None)
        _deliver(both, log, data)
    for state, number in log:
        both.report(state, number)
    assert both.status == alone.status
    assert both.applied == alone.applied


def _deliver(session: Session, log: list[tuple[S, int]], data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, len(log)), "log events that get through now")):
        session.report(*log.pop(0))


@settings(max_examples=200)
@given(st.lists(states, max_size=8), st.data())
def test_a_log_that_is_sent_again_changes_nothing(sequence: list[S], data: st.DataObject) -> None:
    once, again = Session(), Session()
    for number, state in enumerate(sequence):
        once.report(state, number)
        again.report(state, number)
        earlier = data.draw(st.integers(0, number))
        again.report(sequence[earlier], earlier)
    assert again.status == once.status
    assert again.applied == once.applied


@settings(max_examples=200)
@given(st.lists(states, max_size=12))
def test_a_direct_report_that_is_repeated_changes_nothing(sequence: list[S]) -> None:
    once, twice = Session(), Session()
    for state in sequence:
        once.report(state, None)
        twice.report(state, None)
        twice.report(state, None)
    assert twice.applied == once.applied


@settings(max_examples=200)
@given(st.lists(states, max_size=12))
def test_success_never_follows_failure_without_a_new_start(sequence: list[S]) -> None:
    session = Session()
    for state in sequence:
        session.report(state, None)
    for flow in Flow:
        of_flow = [state for state in session.applied if flow_of(state) is flow]
        assert not any(first in FAILED and second in SUCCEEDED for first, second in pairwise(of_flow))


@settings(max_examples=200)
@given(st.lists(states, max_size=12))
def test_the_seal_holds_whatever_is_reported(sequence: list[S]) -> None:
    status = UnitStatus()
    for state in sequence:
        status = advance(status, state)
        assert status.state is state
    assert status.sealed == (S.MFG_SUCCEEDED in sequence)
    mfg = [state for state in sequence if flow_of(state) is Flow.MFG]
    assert status.provisioned == (bool(mfg) and mfg[-1] is S.MFG_SUCCEEDED)


def test_a_new_success_closes_what_was_reopened() -> None:
    reopened = UnitStatus(sealed=True, open_until_ns=100)
    assert advance(reopened, S.MFG_STARTED).open_until_ns == 100
    assert advance(advance(reopened, S.MFG_STARTED), S.MFG_SUCCEEDED).open_until_ns == 0
