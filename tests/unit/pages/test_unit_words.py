"""Words about units: exactly one for every unit at every time, and none that claims more than was reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.events import ProcessState as S
from gprov.domain.factory.states import FAILED, SUCCEEDED
from gprov.domain.factory.view.unit_filters import Situation, conditions
from gprov.domain.factory.view.unit_words import NEEDS_PERSON, Patience, Reported, sentence_of, word_of
from gprov.domain.factory.view.unit_words import UnitWord as W

MINUTE = 60 * 10**9
NOW = 1_700_000_000 * 10**9
PATIENCE = Patience(silent_ns=10 * MINUTE, restore_ns=20 * MINUTE)


def unit(
    state: S, state_age: int = 0, seen_age: int = 0, *, aborted: bool = False, provisioning: S = S.UNKNOWN
) -> Reported:
    """Ages in minutes."""
    return Reported(
        state=state,
        state_ns=NOW - state_age * MINUTE,
        last_seen_ns=NOW - seen_age * MINUTE,
        provisioning=provisioning,
        aborted=aborted,
    )


@pytest.mark.parametrize(
    ("reported", "word", "sentence"),
    [
        (unit(S.UNKNOWN), W.UNKNOWN, "Reports, but has not reported a state"),
        (unit(S.UNKNOWN, 9999, 9999), W.UNKNOWN, "Reports, but has not reported a state"),
        (unit(S.MFG_STARTED, 60, 10), W.RUNNING, "Provisioning is running"),
        (unit(S.MFG_STARTED, 60, 12), W.SILENT, "Provisioning began; no report for 12 min"),
        (unit(S.MFG_STARTED, 0, -5), W.RUNNING, "Provisioning is running"),  # the clock was set back
        (unit(S.MFG_FAILED), W.FAILED, "Provisioning failed"),
        (unit(S.MFG_FAILED, 9999, 9999), W.FAILED, "Provisioning failed"),
        (unit(S.MFG_FAILED, aborted=True), W.ABORTED, "Provisioning was aborted"),
        (unit(S.MFG_SUCCEEDED, 20, 20), W.WAITING, "Provisioned; waiting for the first restore"),
        (
            unit(S.MFG_SUCCEEDED, 21, 0),
            W.PROVISIONED,
            "Provisioned; no first restore was reported within 20 min",
        ),
        (unit(S.FR_STARTED, 0, 0), W.RUNNING, "Restore is running"),
        (unit(S.FR_STARTED, 60, 60), W.SILENT, "Restore began; no report for 1 h"),
        (unit(S.FR_FAILED), W.FAILED, "Restore failed"),
        (unit(S.FR_SUCCEEDED, 9999, 9999), W.RESTORED, "Restore succeeded"),
        (
            unit(S.FR_SUCCEEDED, provisioning=S.MFG_FAILED),
            W.RESTORED,
            "Restored, although its last provisioning failed",
        ),
        (unit(S.FR_SUCCEEDED, provisioning=S.MFG_SUCCEEDED), W.RESTORED, "Provisioned and restored"),
        (unit(S.INIT_STARTED), W.RUNNING, "Start is running"),
        (unit(S.INIT_SUCCEEDED), W.STARTED, "Its system has started"),
        (unit(S.INIT_FAILED), W.FAILED, "Start failed"),
    ],
)
def test_words(reported: Reported, word: W, sentence: str) -> None:
    assert word_of(reported, NOW, PATIENCE) is word
    assert sentence_of(reported, NOW, PATIENCE) == sentence


ages = st.integers(-(10**13), 10**14)
reported_units = st.builds(
    lambda state, provisioning, state_age, seen_age, aborted: Reported(
        state=state,
        state_ns=NOW - state_age,
        last_seen_ns=NOW - seen_age,
        provisioning=provisioning,
        aborted=aborted,
    ),
    st.sampled_from(S),
    st.sampled_from(S),
    ages,
    ages,
    st.booleans(),
)
patiences = st.builds(Patience, st.integers(10**9, 10**13), st.integers(10**9, 10**13))


@given(reported_units, patiences)
def test_no_word_claims_more_than_was_reported(reported: Reported, patience: Patience) -> None:
    word = word_of(reported, NOW, patience)
    assert (word in {W.FAILED, W.ABORTED}) == (reported.state in FAILED)
    assert (word in {W.RESTORED, W.STARTED, W.WAITING, W.PROVISIONED}) == (reported.state in SUCCEEDED)
    assert (word is W.RESTORED) == (reported.state is S.FR_SUCCEEDED)
    assert (word is W.UNKNOWN) == (reported.state is S.UNKNOWN)
    if word is W.SILENT:
        assert NOW - reported.last_seen_ns > patience.silent_ns
    if word is W.ABORTED:
        assert reported.aborted


@given(reported_units, patiences, st.integers(0, 10**14))
def test_time_alone_makes_no_failure_and_no_success(reported: Reported, patience: Patience, later: int) -> None:
    before, after = word_of(reported, NOW, patience), word_of(reported, NOW + later, patience)
    assert before is after or (before, after) in {(W.RUNNING, W.SILENT), (W.WAITING, W.PROVISIONED)}


@given(reported_units, patiences)
def test_every_word_has_a_sentence_and_a_meaning(reported: Reported, patience: Patience) -> None:
    word = word_of(reported, NOW, patience)
    sentence = sentence_of(reported, NOW, patience)
    assert sentence
    assert word.meaning
    assert ("fail" in sentence) <= (word is W.FAILED or reported.provisioning is S.MFG_FAILED)


_WORDS = {
    Situation.ATTENTION: NEEDS_PERSON,
    Situation.FAILED: {W.FAILED, W.ABORTED},
    Situation.SILENT: {W.SILENT},
    Situation.PROVISIONED: {W.PROVISIONED},
    Situation.UNKNOWN: {W.UNKNOWN},
    Situation.WAITING: {W.WAITING},
    Situation.RUNNING: {W.RUNNING},
    Situation.RESTORED: {W.RESTORED},
    Situation.STARTED: {W.STARTED},
}


@given(reported_units, patiences, st.sampled_from(sorted(_WORDS, key=str)))
def test_a_filter_shows_the_units_that_have_its_words(reported: Reported, patience: Patience, asked: Situation) -> None:
    wanted = conditions(asked, NOW, patience)
    assert wanted is not None
    holds = any(
        reported.state in each.states
        and (each.seen_from_ns is None or reported.last_seen_ns >= each.seen_from_ns)
        and (each.seen_before_ns is None or reported.last_seen_ns < each.seen_before_ns)
        and (each.state_from_ns is None or reported.state_ns >= each.state_from_ns)
        and (each.state_before_ns is None or reported.state_ns < each.state_before_ns)
        for each in wanted
    )
    assert holds == (word_of(reported, NOW, patience) in _WORDS[asked])
