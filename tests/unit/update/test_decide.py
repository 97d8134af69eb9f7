"""What the agent does next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.update.config import Confirmation, ForcedUpdates, UpdateConfig
from gprov.domain.update.decide import (
    CONFIRM_SECONDS,
    AnswerAgain,
    Begin,
    Download,
    Permission,
    RequestRestore,
    RestartAgain,
    RunningSystem,
    Step,
    Wait,
    next_step,
    requested,
    settled,
)
from gprov.domain.update.messages import Artifact, Deployment, Handling, UnreadableDeployment
from gprov.domain.update.state import Answer, Phase, Result, UpdateState
from gprov.domain.update.window import LocalMinute, parse_window

OLD, NEW, OTHER = (f"WIDGET.LNX.SHINY.2026-02-0{day}.1.upd" for day in (1, 2, 3))
NOON = LocalMinute(0, 720)
CONFIG = UpdateConfig(server="https://x")
OFFER = Deployment(
    action="8",
    download=Handling.FORCED,
    update=Handling.FORCED,
    artifacts=(Artifact(name=NEW, size=7, url="https://x/y", sha1="a" * 40),),
)
BEGUN = UpdateState(action="8", identity=OFFER.identity, phase=Phase.DOWNLOAD, previous=OLD)
READY = replace(BEGUN, phase=Phase.READY, image=NEW)
REQUESTED = requested(READY, "boot 1")


def system(image: str = OLD, **changes: object) -> RunningSystem:
    return replace(RunningSystem(image=image, boot="boot 2", confirmed=True, seconds=60.0), **changes)  # type: ignore[arg-type]


def step(state: UpdateState | None, offer: Deployment = OFFER, config: UpdateConfig = CONFIG, **given: bool) -> Step:
    return next_step(state, offer, Permission(config, NOON, **given), OLD)


def test_from_the_offer_to_the_request() -> None:
    assert step(None) == Begin(BEGUN)
    assert step(BEGUN) == Download()
    assert step(READY) == RequestRestore()
    assert step(REQUESTED) == RestartAgain("the restart of the unit")


def test_another_action_replaces_one_that_has_changed_nothing_yet() -> None:
    other = replace(OFFER, action="9")
    for state in (BEGUN, READY, BEGUN.ended(Result.FAILURE, "x")):
        assert step(state, other) == Begin(replace(BEGUN, action="9"))
    assert step(REQUESTED, other) == RestartAgain(
        "the restart into WIDGET.LNX.SHINY.2026-02-02.1, which action 8 requested"
    )


@pytest.mark.parametrize("offer", [OFFER, replace(OFFER, action="9"), UnreadableDeployment("9", ("x",))])
def test_a_restart_that_has_not_come_waits_for_the_time_that_the_owner_allows(
    offer: Deployment | UnreadableDeployment,
) -> None:
    config = replace(CONFIG, windows=(parse_window("Sat,Sun 02:00-04:00"),))
    saturday = LocalMinute(5, 180)
    assert isinstance(next_step(REQUESTED, offer, Permission(config, saturday), OLD), RestartAgain)
    for now, is_set, most in ((NOON, True, 110 * 3600.0), (saturday, False, 60.0)):
        found = next_step(REQUESTED, offer, Permission(config, now, is_set=is_set), OLD)
        assert isinstance(found, Wait)
        assert found.most == most


def test_a_restart_that_has_not_come_does_not_wait_if_the_owner_allows_it_at_once() -> None:
    config = replace(CONFIG, windows=(parse_window("Sat 02:00-04:00"),), forced=ForcedUpdates.AT_ONCE)
    assert isinstance(step(REQUESTED, config=config), RestartAgain)
    assert isinstance(step(REQUESTED, replace(OFFER, action="9"), config=config), Wait)


def test_a_deployment_that_cannot_be_read_fails_once() -> None:
    unreadable = UnreadableDeployment("8", ("what is wrong",))
    for state in (None, BEGUN, READY, BEGUN.ended(Result.SUCCESS, "x")):
        begun = next_step(state, unreadable, Permission(CONFIG, NOON), OLD)
        assert isinstance(begun, Begin)
        assert begun.state.answer == Answer(Result.FAILURE, ("what is wrong",))
        assert next_step(begun.state, unreadable, Permission(CONFIG, NOON), OLD) == AnswerAgain()
        assert step(begun.state) == Begin(BEGUN)


def test_an_action_whose_content_has_changed_is_another_one() -> None:
    other = replace(OFFER, artifacts=(replace(OFFER.artifacts[0], sha1="b" * 40),))
    assert step(READY, other) == Begin(replace(BEGUN, identity=other.identity))


def test_an_action_that_has_ended_is_answered_again_and_not_done_again() -> None:
    for result in Result:
        assert step(REQUESTED.ended(result, "x")) == AnswerAgain()


@pytest.mark.parametrize(
    ("state", "changes", "reason"),
    [
        (BEGUN, {"download": Handling.SKIP}, "the server's leave to download"),
        (READY, {"update": Handling.SKIP}, "the server's leave to install"),
        (READY, {"maintenance": False}, "the server's maintenance window"),
    ],
)
def test_what_the_server_does_not_want_yet(state: UpdateState, changes: dict[str, Handling], reason: str) -> None:
    assert step(state, replace(OFFER, **changes)) == Wait(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("update", "forced", "now", "expected"),
    [
        (Handling.ATTEMPT, ForcedUpdates.AT_ONCE, NOON, False),
        (Handling.FORCED, ForcedUpdates.WINDOW, NOON, False),
        (Handling.FORCED, ForcedUpdates.AT_ONCE, NOON, True),
        (Handling.ATTEMPT, ForcedUpdates.WINDOW, LocalMinute(5, 180), True),
    ],
)
def test_the_window_of_the_owner(update: Handling, forced: ForcedUpdates, now: LocalMinute, expected: bool) -> None:
    config = replace(CONFIG, windows=(parse_window("Sat,Sun 02:00-04:00"),), forced=forced)
    found = next_step(READY, replace(OFFER, update=update), Permission(config, now), OLD)
    assert (found == RequestRestore()) is expected
    if not expected:
        assert found == Wait("the time that the owner allows: Sat,Sun 02:00-04:00", 110 * 3600.0)


def test_an_owner_who_wants_to_be_asked() -> None:
    config = replace(CONFIG, confirm=Confirmation.OWNER, forced=ForcedUpdates.AT_ONCE)
    assert step(READY, config=config) == Wait("the owner: gprov-update confirm 8")
    assert step(READY, config=config, agreed=True) == RequestRestore()
    assert step(BEGUN, config=config) == Download()


def test_the_wanted_system_is_up() -> None:
    after = settled(REQUESTED, system(NEW))
    assert after.answer is not None
    assert after.answer.result is Result.SUCCESS


def test_the_wanted_system_has_not_reported_yet() -> None:
    assert settled(REQUESTED, system(NEW, confirmed=False)) == REQUESTED
    late = settled(REQUESTED, system(NEW, confirmed=False, seconds=CONFIRM_SECONDS))
    assert late.answer is not None
    assert late.answer.result is Result.FAILURE


@pytest.mark.parametrize("running", [OLD, OTHER, ""])
def test_another_system_runs_instead(running: str) -> None:
    after = settled(REQUESTED, system(running, reasons=("tar failed",)))
    assert after.answer is not None
    assert after.answer.result is Result.FAILURE
    assert after.answer.details[0].startswith("WIDGET.LNX.SHINY.2026-02-02.1 was not restored: the unit runs ")
    assert after.answer.details[1] == "tar failed"


def test_nothing_is_known_before_the_restart() -> None:
    assert settled(REQUESTED, system(OLD, boot="boot 1")) == REQUESTED


def test_a_cut_between_the_request_and_its_record() -> None:
    """The restore took place, or was tried: the state does not say so, but the unit does."""
    up = settled(READY, system(NEW))
    assert up.answer is not None
    assert up.answer.result is Result.SUCCESS
    tried = settled(replace(READY, tried=2), system(OLD, tried=3, reasons=("disk full",)))
    assert tried.answer is not None
    assert tried.answer.result is Result.FAILURE
    assert settled(replace(READY, tried=2), system(OLD, tried=2)) == replace(READY, tried=2)


phases = st.sampled_from([BEGUN, READY, REQUESTED, REQUESTED.ended(Result.FAILURE, "x")])
systems = st.builds(
    RunningSystem,
    image=st.sampled_from([OLD, NEW, OTHER, ""]),
    boot=st.sampled_from(["boot 1", "boot 2"]),
    confirmed=st.booleans(),
    seconds=st.floats(0, 1e5),
    tried=st.integers(0, 3),
)


@given(phases, systems)
def test_settling_ends_an_action_once_and_never_begins_it_again(state: UpdateState, found: RunningSystem) -> None:
    after = settled(state, found)
    assert after == state or after.phase is Phase.ENDED
    assert settled(after, found) == after
    if after != state and after.answer is not None and after.answer.result is Result.SUCCESS:
        assert found.image == NEW
        assert found.confirmed


@given(phases, systems, st.sampled_from(Handling), st.booleans(), st.booleans())
def test_no_restore_is_requested_twice(
    state: UpdateState, found: RunningSystem, update: Handling, maintenance: bool, agreed: bool
) -> None:
    after = settled(state, found)
    offer = replace(OFFER, update=update, maintenance=maintenance)
    taken = next_step(after, offer, Permission(CONFIG, NOON, agreed), found.image)
    if isinstance(taken, RequestRestore):
        assert after.phase is Phase.READY
        assert update is not Handling.SKIP
        assert maintenance
