"""An image that passes verification and cannot be unpacked: the same restore goes on with another image, since PRIMARY
is overwritten already."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.domain.boot.budget import DAY, parse_budget
from gprov.domain.events import ProcessState, StateChange
from gprov.domain.image.history import History, parse_history
from tests.unit.flow.driver import BUDGET, HISTORY, NEWER, NORMAL, UnitDriver

NEWER_STEM = NEWER.removesuffix(".upd")
OLDER_STEM = IMAGE_NAME.removesuffix(".upd")


@pytest.fixture
def unit(updating: UnitDriver) -> UnitDriver:
    """A unit with two good images that is about to be restored."""
    return updating.copy()


def history(unit: UnitDriver) -> History:
    return parse_history(unit.read("RECOVERY", HISTORY))


def refuse(unit: UnitDriver, name: str, kind: FaultKind = FaultKind.REFUSED, times: int = 1000) -> None:
    unit.machine.faults.append(Fault(kind=kind, where=f"extract /mnt/RECOVERY/Image/{name}", times=times))


def test_the_next_image_is_installed_in_the_same_restore(unit: UnitDriver) -> None:
    refuse(unit, NEWER)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.settle() == ("switched root",)
    assert unit.systems() == [IMAGE_NAME]
    assert f"{NEWER_STEM} cannot be unpacked: looking for another image" in unit.warnings()
    assert history(unit).result(NEWER_STEM).rejected
    assert history(unit).failures(NEWER_STEM) == 1
    assert history(unit).failures(OLDER_STEM) == 0


def test_the_update_stays_on_recovery_after_a_single_refusal(unit: UnitDriver) -> None:
    refuse(unit, NEWER, times=1)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [IMAGE_NAME]
    assert unit.exists("RECOVERY", f"/Image/{NEWER}")
    assert "failed 6 times" not in unit.log()


def test_the_next_image_is_verified_before_anything_is_wiped_again(unit: UnitDriver) -> None:
    refuse(unit, NEWER)
    steps = unit.operations(lambda unit: unit.boot(NORMAL))
    kinds = [step.split()[0] for step in steps if "under way" not in step]
    # The first extraction is refused before it is an operation.
    assert [kind for kind in kinds if kind in ("verify", "clear", "extract")] == [
        "verify",
        "clear",
        "verify",
        "clear",
        "extract",
    ]


def test_a_refused_image_comes_last_in_later_restores(unit: UnitDriver) -> None:
    refuse(unit, NEWER)
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.faults.clear()
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [IMAGE_NAME]


def test_without_an_image_that_can_be_unpacked_all_reasons_are_reported_and_restores_are_tried_again(
    unit: UnitDriver,
) -> None:
    refuse(unit, NEWER)
    refuse(unit, IMAGE_NAME)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    for name in (NEWER, IMAGE_NAME):
        assert f"{name} cannot be unpacked: tool: failed" in unit.errors()
    assert unit.warnings().count("cannot be unpacked: looking") == 2
    unit.machine.faults.clear()
    assert unit.settle() == ("reboot", "switched root")


def test_an_io_error_while_unpacking_is_not_counted_as_a_refused_image(unit: UnitDriver) -> None:
    refuse(unit, NEWER, FaultKind.IO_ERROR, times=1)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "looking for another image" not in unit.log()
    assert history(unit).failures(NEWER_STEM) == 1
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [NEWER]


def test_a_second_reading_that_differs_is_one_failure_and_the_next_image_is_installed(unit: UnitDriver) -> None:
    """The image was good when it was verified: the medium or the bus is at fault, not the image."""
    refuse(unit, NEWER, FaultKind.DIFFERS, times=1)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [IMAGE_NAME]
    assert f"{NEWER_STEM} could not be installed: looking for another image" in unit.warnings()
    assert (history(unit).failures(NEWER_STEM), history(unit).result(NEWER_STEM).rejected) == (1, False)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [NEWER]


@pytest.mark.parametrize("path", ["/mnt/PRIMARY/etc/hosts", "/mnt/PRIMARY/etc/shadow"])
def test_a_full_primary_is_filled_with_the_next_image(unit: UnitDriver, path: str) -> None:
    unit.machine.faults.append(Fault(kind=FaultKind.NO_SPACE, where=f"write {path}"))
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert f"{NEWER_STEM} could not be installed: looking for another image" in unit.warnings()
    assert (history(unit).failures(NEWER_STEM), history(unit).result(NEWER_STEM).rejected) == (1, False)


def test_a_single_image_that_can_never_be_unpacked_is_named_on_the_screen_in_every_pause(unit: UnitDriver) -> None:
    """Restores of it become rare, at most one a day in the end; each is counted, and every pause shows the reason."""
    unit.remove("RECOVERY", f"/Image/{IMAGE_NAME}")
    refuse(unit, NEWER)
    pauses = []
    for restores in range(1, 16):
        unit.machine.messages.clear()
        before = unit.machine.clock.slept
        assert unit.boot(NORMAL) is StopReason.REBOOT
        pauses.append(unit.machine.clock.slept - before)
        budget = parse_budget(BUDGET, unit.read("RECOVERY", BUDGET))
        assert budget.restores == restores
        assert unit.machine.messages
        for text in (budget.reason, *unit.machine.messages):
            assert f"{NEWER} cannot be unpacked: tool: failed" in text
        assert history(unit).result(NEWER_STEM).imaging_attempts == restores
    assert pauses == sorted(pauses)
    assert pauses[0] >= 300
    assert pauses[-1] == pauses[-2] > DAY
    failures = [event for event in unit.sink.events if event.body == StateChange(ProcessState.FR_FAILED)]
    assert len(failures) == 15


def test_another_image_ends_a_series_of_restores(unit: UnitDriver) -> None:
    unit.remove("RECOVERY", f"/Image/{IMAGE_NAME}")
    refuse(unit, NEWER)
    for _ in range(5):
        assert unit.boot(NORMAL) is StopReason.REBOOT
    unit.add_image(IMAGE_NAME)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [IMAGE_NAME]
