"""What the agent keeps on RECOVERY."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.update.decision import (
    Offered,
    OwnerDecision,
    parse_decision,
    parse_offered,
    serialise_decision,
    serialise_offered,
)
from gprov.domain.update.state import (
    MAX_PROOF,
    MAX_STATE,
    Answer,
    Phase,
    Result,
    UpdateState,
    parse_state,
    serialise_state,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.sampled_from("AB.-19upd"), min_size=3, max_size=20).filter(lambda name: name not in (".", ".."))
texts = words.filter(lambda text: bool(text.strip()))
open_states = st.builds(
    UpdateState,
    action=texts,
    identity=texts,
    phase=st.sampled_from([Phase.DOWNLOAD, Phase.READY, Phase.REQUESTED]),
    image=st.just("") | names,
    previous=names,
    kept=st.booleans(),
    boot=words,
    tried=st.integers(0, 99),
    proof=words,
    flushed=st.integers(0, 1 << 40),
    restarts=st.integers(0, 9),
    refusals=st.integers(0, 9),
    sent=st.booleans(),
    cancel=words,
    reports=st.integers(0, 99),
)
states = open_states | st.builds(
    lambda state, result, details: state.ended(result, *details),
    open_states,
    st.sampled_from(Result),
    st.lists(words, max_size=4),
)


@given(states)
def test_a_state_is_read_as_it_was_written(state: UpdateState) -> None:
    assert parse_state("x", serialise_state(state)) == state


def test_the_largest_state_can_be_read_again() -> None:
    """Texts of the server are in it: they must not make a file that is refused."""
    long = "\U0001f600" * 600
    state = UpdateState(
        action="x" * 64,
        identity="0" * 64,
        phase=Phase.READY,
        image="x" * 255,
        previous="x" * 255,
        proof="\xff" * MAX_PROOF,
    )
    content = serialise_state(state.ended(Result.FAILURE, *[long] * 30))
    assert len(content) <= MAX_STATE
    assert parse_state("x", content).proof == state.proof


def test_names_of_files_that_are_no_text_leave_a_state_that_can_be_read() -> None:
    state = UpdateState(action="1", identity="i", phase=Phase.READY).ended(Result.FAILURE, "etc/\udcff is wrong")
    read = parse_state("x", serialise_state(state))
    assert read.answer == Answer(Result.FAILURE, ("etc/? is wrong",))


@given(st.binary(max_size=120))
def test_any_bytes_are_a_state_or_bad_input(data: bytes) -> None:
    with suppress(BadInput):
        assert parse_state("x", data).action


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((b'"Image": "a.upd"', b'"Image": "../a.upd"'), "$.Image: must be a name without folders"),
        ((b'"Phase": "ready"', b'"Phase": "ended"'), "$.Answer: must be there if the phase is ended"),
        ((b'"Format": 1', b'"Format": 2'), "$.Format: must be 1..1"),
    ],
)
def test_what_is_wrong_is_said(change: tuple[bytes, bytes], problem: str) -> None:
    content = serialise_state(UpdateState(action="1", identity="i", phase=Phase.READY, image="a.upd"))
    with pytest.raises(BadInput) as caught:
        parse_state("x", content.replace(*change))
    assert any(str(one).startswith(problem) for one in caught.value.problems), caught.value.details()


def test_an_answer_is_owed_until_it_was_given() -> None:
    state = UpdateState(action="1", identity="i", phase=Phase.READY)
    ended = state.ended(Result.FAILURE, "a", "b")
    assert (state.owes_answer, ended.owes_answer) == (False, True)
    assert ended.answer == Answer(Result.FAILURE, ("a", "b"))
    assert not ended.is_open


ids = st.text(st.sampled_from("abc019-_"), min_size=1)
offers = st.builds(Offered, ids, st.text(st.sampled_from("0123456789abcdef"), min_size=64, max_size=64))


@given(st.builds(OwnerDecision, offers, st.booleans()))
def test_a_decision_and_its_question_are_read_as_they_were_written(decision: OwnerDecision) -> None:
    assert parse_decision("x", serialise_decision(decision)) == decision
    assert parse_offered("x", serialise_offered(decision.offered)) == decision.offered


DIGEST = b"0" * 64


@pytest.mark.parametrize(
    "data", [b"", b"confirm", b"confirm 7", b"confirm 7 8", b"maybe 7 " + DIGEST, b"confirm 7 8 " + DIGEST, b"\xff\xff"]
)
def test_what_is_no_decision(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_decision("x", data)


@pytest.mark.parametrize("data", [b"", b"7", b"7 8", b"confirm 7 " + DIGEST, b"7 " + DIGEST.upper() + b"x"])
def test_what_is_no_question(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_offered("x", data)
