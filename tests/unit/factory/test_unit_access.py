"""Which session may provision a unit: the rules, against an honest unit that loses its power and a thief."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.start_token import IssuedToken, digest_of, token_refusal
from gprov.domain.factory.unit_access import (
    NO_SESSION,
    StartRequest,
    UnitAccess,
    decide_start,
    handed_out,
    is_proof,
    looked_at,
    may_describe,
    may_have_passwords,
    may_report,
    reopened,
)
from gprov.domain.unit.credentials import Secret

S = ProcessState
HOUR = 3600 * 10**9


def start(access: UnitAccess, session: int, proof: str = "", *, lost: bool = True) -> tuple[UnitAccess, Refusal | None]:
    decision = decide_start(access, StartRequest(session=session, key=f"k{session}", proof=proof, lost=lost), 1)
    return decision.access, decision.refusal


def provisioned(session: int = 1) -> UnitAccess:
    access, refusal = start(UnitAccess(), session)
    assert refusal is None
    return handed_out(access, session)


def test_a_start_after_a_hand_out_needs_the_secret_of_that_provisioning() -> None:
    access = provisioned()
    assert start(access, 2, lost=False) == (access, Refusal.PROOF_NEEDED)
    refused, why = start(access, 2)
    assert why is Refusal.HANDED_OUT
    assert "another session" in refused.concern
    assert start(access, 2, "k9")[1] is Refusal.HANDED_OUT
    again, why = start(access, 2, "k1")
    assert why is None
    assert (again.provisioner, again.concern) == (2, "")


def test_after_the_secret_was_shown_once_recovery_may_be_gone_and_passwords_are_replaced() -> None:
    shown, _ = start(provisioned(), 2, "k1")
    decision = decide_start(shown, StartRequest(session=3, key="k3", lost=True), 0)
    assert decision.refusal is None
    assert decision.rotate
    assert decision.access.concern
    assert not decide_start(shown, StartRequest(session=3, key="k3", proof="k1"), 0).rotate


def test_a_person_reopens_a_unit() -> None:
    access = replace(provisioned(), sealed=True)
    assert start(access, 2, "k1")[1] is Refusal.SEALED
    opened = reopened(access, HOUR)
    assert (opened.sealed, opened.key, opened.concern) == (True, "", "")
    begun, why = start(opened, 2)
    assert why is None
    assert start(handed_out(begun, 2), 3)[1] is Refusal.HANDED_OUT, "it is reopened once"


def test_the_same_start_again_changes_nothing() -> None:
    access, _ = start(UnitAccess(), 1)
    assert start(access, 1) == (access, None)
    assert start(handed_out(access, 1), 1) == (handed_out(access, 1), None)


@pytest.mark.parametrize("state", [S.MFG_STARTED, S.MFG_SUCCEEDED, S.MFG_FAILED])
def test_only_the_session_that_began_reports_its_end(state: ProcessState) -> None:
    access = provisioned()
    assert may_report(access, 1, False, state)
    assert not may_report(access, 2, True, state)
    assert not may_report(UnitAccess(), 1, True, state)


def test_success_is_of_the_session_that_has_the_passwords() -> None:
    access, _ = start(provisioned(), 2, "k1")
    assert may_report(access, 2, False, S.MFG_FAILED)
    assert not may_report(access, 2, False, S.MFG_SUCCEEDED)
    assert may_report(handed_out(access, 2), 2, False, S.MFG_SUCCEEDED)


@pytest.mark.parametrize("state", [S.FR_STARTED, S.FR_SUCCEEDED, S.FR_FAILED, S.INIT_STARTED, S.INIT_FAILED])
def test_later_states_need_a_proof(state: ProcessState) -> None:
    assert may_report(provisioned(), 7, True, state)
    assert not may_report(provisioned(), 7, False, state)
    assert is_proof(provisioned(), "k1")
    assert not is_proof(provisioned(), "k2")
    assert not is_proof(UnitAccess(), "")


def test_tokens() -> None:
    token = IssuedToken(serials=frozenset({"SN1", "BOARD1"}), expires_ns=HOUR, uses_left=1)
    assert token_refusal(token, "SN1", 0) is token_refusal(token, "BOARD1", HOUR) is None
    assert token_refusal(None, "SN1", 0) is Refusal.START_UNKNOWN
    assert token_refusal(token, "SN2", 0) is Refusal.START_OF_ANOTHER
    assert token_refusal(token, "SN1", HOUR + 1) is Refusal.START_EXPIRED
    used = replace(token, uses_left=0)
    assert token_refusal(used, "SN1", 0) is Refusal.START_USED
    assert token_refusal(replace(used, used_by_session=True), "SN1", 2 * HOUR) is None
    unidentified = "UNKNOWN_SN_1"
    assert token_refusal(replace(token, serials=frozenset({unidentified})), unidentified, 0) is Refusal.UNIDENTIFIED
    assert digest_of(Secret("")) == ""


@dataclass
class Run:
    """One session of the unit or the thief. ``knows``: generation of passwords that it got, -1 for none."""

    session: int
    secret: str
    began: bool = False
    knows: int = -1


@dataclass
class Factory:
    """A server with the rules, one honest unit, and a thief who can get tokens as a machine does. ``recovery``: the
    secret on RECOVERY; ``generation``: of the passwords; ``stranded``: why the unit could not begin."""

    access: UnitAccess = field(default_factory=UnitAccess)
    generation: int = 0
    rotate: bool = False
    sessions: int = 0
    recovery: str = ""
    honest: Run | None = None
    done: bool = False
    stranded: Refusal | None = None
    thieves: list[Run] = field(default_factory=list)
    accepted: int = -1
    told: bool = False

    def _begin(self, run: Run, proof: str) -> Refusal | None:
        request = StartRequest(session=run.session, key=run.secret)
        decision = decide_start(self.access, request, 0)
        if decision.refusal is Refusal.PROOF_NEEDED:
            decision = decide_start(self.access, replace(request, proof=proof, lost=not proof), 0)
        self.access = decision.access
        self.rotate = self.rotate or decision.rotate
        run.began = decision.refusal is None
        return decision.refusal

    def _ask(self, run: Run) -> bool:
        if not may_have_passwords(self.access, run.session):
            if self.access.holder:
                self.access = self.access.with_concern("another session asked")
            return False
        if self.rotate and run.knows < 0:
            self.generation += 1
            self.rotate = False
        run.knows = self.generation if run.knows < 0 else run.knows
        self.access = handed_out(self.access, run.session)
        return True

    def run(self, who: str) -> Run:
        self.sessions += 1
        return Run(self.sessions, f"{who}{self.sessions}")

    # --- the honest unit: power on, begin, RECOVERY, passwords, success; a cut at any time ---

    def unit(self, steps: int) -> None:
        """A start that a power cut ends after so many steps (5: none)."""
        if self.done or self.stranded:
            return
        run = self.honest = self.run("u")
        if steps < 1:
            return
        refusal = self._begin(run, self.recovery)
        if refusal is not None:
            self.stranded = refusal
            return
        if steps < 2:
            return
        self.recovery = ""  # it is made anew
        if steps < 3:
            return
        self.recovery = run.secret
        if steps < 4:
            return
        if not self._ask(run):
            self.stranded = Refusal.OTHER_SESSION
            return
        if steps < 5:
            return
        if not may_report(self.access, run.session, False, S.MFG_SUCCEEDED):
            self.stranded = Refusal.OTHER_SESSION
            return
        self.access = replace(self.access, sealed=True)
        self.done, self.accepted, self.told = True, run.knows, bool(self.access.concern)

    def person(self) -> None:
        """Looks at a unit that cannot go on, has its passwords replaced, and reopens it."""
        if self.stranded:
            self.access, self.rotate, self.stranded = reopened(self.access, HOUR), True, None

    # --- the thief ---

    def thief_begins(self, own: bool) -> None:
        """With a secret of an earlier run of its own, or without."""
        run = self.run("t")
        self.thieves.append(run)
        shown = next((each.secret for each in reversed(self.thieves[:-1]) if each.knows >= 0), "") if own else ""
        self._begin(run, shown)

    def thief_asks(self) -> None:
        for run in self.thieves:
            self._ask(run)


ACTIONS = st.one_of(
    st.tuples(st.just("unit"), st.integers(0, 5)),
    st.tuples(st.just("thief"), st.booleans()),
    st.tuples(st.just("ask"), st.none()),
    st.tuples(st.just("person"), st.none()),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(ACTIONS, min_size=3, max_size=12))
def test_a_thief_gets_no_passwords_that_a_unit_keeps_unless_a_person_is_told(actions: list[tuple[str, object]]) -> None:
    factory = Factory()
    for what, value in actions:
        match what, value:
            case "unit", int(steps):
                factory.unit(steps)
            case "thief", bool(own):
                factory.thief_begins(own)
            case "ask", _:
                factory.thief_asks()
            case _:
                factory.person()
        assert factory.access.holder == NO_SESSION or factory.access.key
    stolen = {run.knows for run in factory.thieves if run.knows >= 0}
    if factory.done:
        assert factory.accepted not in stolen or factory.told, "stolen before it was done, and no person was told"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=8))
def test_a_unit_alone_needs_no_person_whenever_its_power_is_cut(cuts: list[int]) -> None:
    factory = Factory()
    for steps in cuts:
        factory.unit(steps)
    factory.unit(5)
    assert factory.done
    assert factory.stranded is None


@settings(max_examples=200, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
def test_a_unit_that_cannot_go_on_can_after_a_person_has_reopened_it(actions: list[tuple[str, object]]) -> None:
    factory = Factory()
    for what, value in actions:
        if what == "unit" and isinstance(value, int):
            factory.unit(value)
        elif what == "thief":
            factory.thief_begins(bool(value))
        elif what == "ask":
            factory.thief_asks()
    if factory.access.sealed and not factory.done:
        return
    factory.person()
    factory.unit(5)
    if factory.stranded:  # it was refused only now
        assert factory.stranded.sentence
        factory.person()
        factory.unit(5)
    assert factory.done


def test_a_look_ends_a_concern() -> None:
    assert looked_at(UnitAccess(concern="x")).concern == ""
    assert UnitAccess(concern="first").with_concern("second").concern == "first"
    assert may_describe(provisioned(), 1)
    assert not may_describe(provisioned(), 2)
