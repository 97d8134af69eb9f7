"""When a unit that lost power has come to rest, and what is held against it; the starts are invented here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gprov.apps.host.lab.guest_messages import GuestReport
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.starts import MAX_STARTS, Start, start_until_running
from gprov.domain.formats.json.value import Json

WELL: Mapping[str, Json] = {"flag": True, "recovery": True}


def start(*milestone_names: str, ending: Ending = Ending.RESET, nothing_bootable: bool = False) -> Start:
    return Start(
        ending=ending,
        milestone_names=("init-started", *milestone_names) if not nothing_bootable else (),
        system=None,
        nothing_bootable=nothing_bootable,
        seconds=10.0,
    )


def system(facts: Mapping[str, Json] = WELL) -> Start:
    verdict = GuestReport("multi-user", 8.0, facts)
    return Start(
        ending=Ending.POWER_OFF,
        milestone_names=("init-started", "handover"),
        system=verdict,
        nothing_bootable=False,
        seconds=9.0,
    )


RESTORED = start("FR_STARTED", "FR_SUCCEEDED")
FAILED = start("FR_STARTED", "FR_FAILED")


def rested(starts: Sequence[Start], *told: str) -> tuple[int, list[str]]:
    """How many starts it took, and what is wrong."""
    done, problems = start_until_running(lambda number: starts[number - 1], told)
    return len(done), problems


@pytest.mark.parametrize(
    "starts", [[system()], [RESTORED, system()], [FAILED, RESTORED, system()], [FAILED, FAILED, RESTORED, system()]]
)
def test_a_unit_that_ends_in_its_system(starts: list[Start]) -> None:
    assert rested([*starts, start()]) == (len(starts), [])


def test_a_report_of_success_must_be_followed_by_the_system() -> None:
    lie = ["the unit reported success, but did not start its system"]
    assert rested([system()], "FR_SUCCEEDED") == (1, [])
    assert rested([RESTORED, system()], "FR_SUCCEEDED") == (1, lie)
    assert rested([RESTORED, RESTORED, system()]) == (2, lie)
    assert rested([start("FR_STARTED", "FR_FAILED", "FR_SUCCEEDED"), system()]) == (
        1,
        ["a start reported both FR_FAILED and success"],
    )


def test_a_unit_that_does_not_come_back() -> None:
    assert rested([FAILED] * 9) == (MAX_STARTS, [f"the system does not run after {MAX_STARTS} starts"])
    assert rested([start(ending=Ending.TIMEOUT)]) == (1, ["start 1: init-started → timeout (10 s)"])
    assert rested([RESTORED, start("handover", ending=Ending.CRASHED)])[0] == 2
    assert rested([start(nothing_bootable=True)]) == (1, ["start 1: silent → nothing to start (10 s)"])


def test_a_system_without_its_flag_or_recovery() -> None:
    assert rested([system({"flag": False, "recovery": True})]) == (1, ["the system reports flag: False"])
    assert rested([system({})]) == (1, ["the system reports flag: None", "the system reports recovery: None"])
