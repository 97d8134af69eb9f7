"""Starts and restores that fail: counted on RECOVERY, tried again after longer and longer pauses, and shown; a person
or a running system resets the counts."""

from __future__ import annotations

import hashlib
import json

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.domain.boot.budget import DAY, StartBudget, parse_budget, serialise_budget
from gprov.domain.events import ProcessState
from gprov.domain.image.history import ImageResult, parse_history
from tests.unit.flow.driver import BUDGET, HISTORY, NEVER, NEWER, NORMAL, UnitDriver

STARTED = "/etc/provisioning/boots_started"
CONFIRMED = "/etc/provisioning/boots_confirmed"
SERVICE = "/etc/systemd/system/multi-user.target.wants/gprov-boot-good.service"
STEM = IMAGE_NAME.removesuffix(".upd")


def budget(unit: UnitDriver) -> StartBudget:
    """Of a unit that has no such file yet: empty."""
    return parse_budget("budget", unit.read("RECOVERY", BUDGET) if unit.exists("RECOVERY", BUDGET) else b"")


def result(unit: UnitDriver, image: str = STEM) -> ImageResult:
    return parse_history(unit.read("RECOVERY", HISTORY)).result(image)


def slept(unit: UnitDriver, environment: dict[str, str] | None = None) -> float:
    """One start that ends in a reboot; the seconds that it stood still."""
    before = unit.machine.clock.slept
    assert unit.boot(environment) is StopReason.REBOOT
    return unit.machine.clock.slept - before


def spoil_image(unit: UnitDriver) -> None:
    unit.put("RECOVERY", f"/Image/{IMAGE_NAME}", b"spoilt")


# --- starts of the system ---------------------------------------------------------------------------------------------


def test_every_start_is_counted_on_the_root(unit: UnitDriver) -> None:
    assert unit.read("PRIMARY", STARTED) == b"1\n"
    for number in (2, 3):
        assert unit.boot() is StopReason.SWITCHED_ROOT
        unit.machine.restart()
        assert unit.read("PRIMARY", STARTED) == b"%d\n" % number


def test_a_cut_anywhere_in_a_normal_start_leaves_the_root_as_it_was(unit: UnitDriver) -> None:
    before = unit.machine.media_state()
    names = unit.operations()
    assert any(name.startswith("remount") for name in names)
    for torn in (False, True):
        for at, name in enumerate(names):
            one = unit.copy()
            one.machine.torn_cuts = torn
            one.cut(at)
            assert one.machine.media_state() == before, name
            assert one.settle() == ("switched root",), name
            assert one.read("PRIMARY", STARTED) in (b"2\n", b"3\n"), name


def test_a_root_that_cannot_be_written_is_started_without_being_counted(unit: UnitDriver) -> None:
    unit.machine.disks[0].write_protected = True
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "is not counted" in unit.log()
    assert unit.read("PRIMARY", STARTED) == b"1\n"


@pytest.mark.parametrize("content", [b"", b"many", b"\xff" * 100])
def test_a_damaged_count_of_starts_begins_at_zero(unit: UnitDriver, content: bytes) -> None:
    unit.put("PRIMARY", STARTED, content)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "starts are counted from zero" in unit.log()
    assert unit.read("PRIMARY", STARTED) == b"1\n"


@pytest.mark.parametrize(
    ("reports", "confirmed", "told"), [(True, b"", True), (True, b"4 1", False), (False, b"", False)]
)
def test_starts_that_the_system_does_not_confirm_are_shown_and_wipe_nothing(
    unit: UnitDriver, reports: bool, confirmed: bytes, told: bool
) -> None:
    unit.put("PRIMARY", STARTED, b"5\n")
    if reports:
        unit.put("PRIMARY", SERVICE, b"")
    if confirmed:
        unit.put("PRIMARY", CONFIRMED, confirmed)
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.media_state() == before
    text = "the system was started 5 times in a row without reporting that it is up"
    assert (text in unit.machine.messages) is told


def test_counts_of_starts_on_the_old_system_go_into_the_history_once(unit: UnitDriver) -> None:
    unit.put("PRIMARY", SERVICE, b"")
    unit.put("PRIMARY", STARTED, b"9\n")
    unit.put("PRIMARY", CONFIRMED, b"7 5\n")
    unit.remove_flag()
    good = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}")
    spoil_image(unit)
    for _ in range(2):  # the second restore sees the same counts again
        slept(unit)
        assert (result(unit).boot_attempts, result(unit).boot_failures) == (9, 2)
    unit.put("RECOVERY", f"/Image/{IMAGE_NAME}", good)
    assert unit.settle()[-1] == "switched root"
    assert (result(unit).boot_attempts, result(unit).boot_failures) == (9, 2)
    assert "2 starts in a row without a good one" in result(unit).notes


def test_starts_of_a_system_without_the_reporting_service_are_not_counted_as_failures(unit: UnitDriver) -> None:
    unit.put("PRIMARY", STARTED, b"9\n")
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert (result(unit).boot_attempts, result(unit).boot_failures) == (9, 0)


def test_an_image_whose_system_never_reports_a_good_start_is_tried_after_the_others(unit: UnitDriver) -> None:
    unit.add_image(files={"etc/newer": b"", SERVICE.lstrip("/"): b""})
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    for _ in range(6):
        assert unit.boot() is StopReason.SWITCHED_ROOT
    unit.machine.restart()
    assert unit.read("PRIMARY", STARTED) == b"7\n"
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert result(unit, NEWER.removesuffix(".upd")).boot_failures == 7
    assert unit.systems() == [IMAGE_NAME]


# --- starts that are given up -----------------------------------------------------------------------------------------


@pytest.fixture
def lost(unit: UnitDriver) -> UnitDriver:
    """A unit whose data disk is gone."""
    unit.machine.disks[0].appears_at = NEVER
    return unit


def test_pauses_grow_to_a_day_and_a_root_that_appears_again_is_started(lost: UnitDriver) -> None:
    pauses = []
    for count in range(1, 11):
        before = lost.machine.clock.now_ns()
        assert lost.boot() is StopReason.REBOOT
        pauses.append((lost.machine.clock.now_ns() - before) / 1e9)
        assert budget(lost).given_up == count
    assert pauses == pytest.approx([600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, DAY, DAY], abs=200)
    assert "root volume not found" in budget(lost).reason
    assert "root volume not found" in lost.machine.messages[-1]
    lost.machine.disks[0].appears_at = 0
    assert lost.boot() is StopReason.SWITCHED_ROOT


def test_a_start_that_is_given_up_is_reported_to_the_server_if_one_is_known(lost: UnitDriver) -> None:
    lost.put("RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    lost.factory.states.clear()
    slept(lost)
    assert lost.factory.states == [ProcessState.INIT_FAILED]


def test_without_recovery_pauses_are_long_and_always_the_same(lost: UnitDriver) -> None:
    lost.machine.disks[1].appears_at = NEVER
    for _ in range(2):
        assert slept(lost, NORMAL) == pytest.approx(1800 + 120, abs=120)
    assert "RECOVERY could not be used to record this boot" in lost.log()


def test_with_a_read_only_recovery_pauses_are_long_and_always_the_same(lost: UnitDriver) -> None:
    lost.machine.disks[1].write_protected = True
    for _ in range(2):
        assert slept(lost, NORMAL) == pytest.approx(1800 + 120, abs=120)
    assert "retries cannot be counted" in lost.log()


@pytest.mark.parametrize("content", [b"", b"{", b'{"Version":1,"GivenUp":-3}', b"\0" * 4096])
def test_a_damaged_count_of_retries_begins_at_zero(lost: UnitDriver, content: bytes) -> None:
    lost.put("RECOVERY", BUDGET, content)
    assert slept(lost) == pytest.approx(600 + 120, abs=120)
    assert "counting retries from zero" in lost.log()
    assert budget(lost).given_up == 1


def test_a_person_can_end_the_pause_which_resets_the_count(lost: UnitDriver) -> None:
    lost.put(
        "RECOVERY", BUDGET, serialise_budget(StartBudget(given_up=8, restores=2, last_ns=lost.machine.clock.now_ns()))
    )
    lost.machine.operator_present, lost.machine.operator_from = True, 150.0
    lost.machine.keys = ["any", "no", "any", "yes"]
    assert slept(lost, {**NORMAL, "PROVISION_KEY_WINDOW": "0"}) < 700
    assert budget(lost) == StartBudget()


def test_keys_that_are_not_confirmed_do_not_end_the_pause(lost: UnitDriver) -> None:
    lost.machine.operator_present, lost.machine.operator_from = True, 150.0
    lost.machine.keys = ["any", "no"] * 30
    assert slept(lost, {**NORMAL, "PROVISION_KEY_WINDOW": "0"}) >= 600
    assert len(lost.machine.keys) == 20


def test_an_unforeseen_error_is_counted_as_a_start_that_was_given_up(unit: UnitDriver) -> None:
    def hook(operation: str) -> None:
        if operation.startswith("switch root"):
            raise ZeroDivisionError

    unit.machine.hook = hook
    assert slept(unit) >= 600
    assert budget(unit).given_up == 1
    assert "unexpected error: ZeroDivisionError" in unit.log()


def test_after_a_cut_anywhere_in_a_failing_start_the_next_one_is_counted(lost: UnitDriver) -> None:
    names = lost.operations()
    for at in range(len(names)):
        one = lost.copy()
        one.cut(at)
        slept(one)
        assert budget(one).given_up in (1, 2)


# --- restores in a row ------------------------------------------------------------------------------------------------


@pytest.fixture
def failing(unit: UnitDriver) -> UnitDriver:
    """A unit without a system, whose only image is bad."""
    unit.remove_flag()
    spoil_image(unit)
    return unit


def test_pauses_before_restores_that_fail_in_a_row_grow_to_a_day(failing: UnitDriver) -> None:
    pauses = [slept(failing) for _ in range(14)]
    assert pauses[:3] == pytest.approx([300] * 3, abs=60)
    assert pauses[3:6] == pytest.approx([600, 900, 1500], abs=60)
    assert pauses[-1] == pytest.approx(DAY + 300, abs=60)
    assert budget(failing).restores == 14
    assert "no good image" in budget(failing).reason
    assert any("The next factory restore begins in 24 h" in text for text in failing.machine.messages)


def test_a_unit_whose_image_is_replaced_by_a_good_one_restores_itself(failing: UnitDriver) -> None:
    for _ in range(5):
        slept(failing)
    failing.add_image(IMAGE_NAME)
    assert failing.settle() == ("reboot", "switched root")
    # The count stays until the system reports that it is up.
    assert budget(failing).restores == 6
    failing.machine.restart()
    failing.remove_flag()
    failing.remove("RECOVERY", BUDGET)  # gprov-boot-good --recovery
    assert slept(failing) < 60
    assert budget(failing).restores == 1


def test_a_system_that_ran_between_two_restores_resets_their_count(unit: UnitDriver) -> None:
    for _ in range(6):
        unit.remove_flag()
        assert slept(unit) < 60
        assert budget(unit).restores == 1
        assert unit.boot() is StopReason.SWITCHED_ROOT
        unit.machine.restart()


def test_restores_that_succeed_and_are_lost_each_time_are_delayed(unit: UnitDriver) -> None:
    """Every restore succeeds, and the disk loses the flag file before the system starts."""
    waits = []
    for _ in range(6):
        unit.remove_flag()
        waits.append(slept(unit))
    assert waits[:3] == pytest.approx([0] * 3, abs=60)
    assert waits[3:] == pytest.approx([300, 600, 1200], abs=60)


def test_restores_that_are_cut_are_counted(unit: UnitDriver) -> None:
    unit.remove_flag()
    names = unit.operations()
    at = next(index for index, name in enumerate(names) if name.startswith(("unpack", "extract")))
    for _ in range(3):
        unit.cut(at)
    assert budget(unit).restores == 3
    before = unit.machine.clock.slept
    assert unit.settle()[-1] == "switched root"
    assert unit.machine.clock.slept - before >= 300


def test_a_restore_that_a_person_asks_for_is_not_delayed(failing: UnitDriver) -> None:
    failing.put(
        "RECOVERY",
        BUDGET,
        serialise_budget(StartBudget(given_up=0, restores=9, last_ns=failing.machine.clock.now_ns())),
    )
    failing.machine.operator_present = True
    failing.machine.keys = ["any", "3", "yes"]
    slept(failing)
    assert "requested by a person" in failing.log()
    assert "The next factory restore begins" not in failing.log()
    assert budget(failing).restores == 1


def test_with_a_read_only_recovery_every_restore_is_delayed_a_little(unit: UnitDriver) -> None:
    unit.remove_flag()
    unit.machine.disks[1].write_protected = True
    assert slept(unit) == pytest.approx(300, abs=60)
    assert unit.boot() is StopReason.SWITCHED_ROOT


# --- room on RECOVERY -------------------------------------------------------------------------------------------------


def old_images(unit: UnitDriver, *days: int) -> list[str]:
    names = [f"WIDGET.LNX.SHINY.2025-01-{day:02}.1.upd" for day in days]
    noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(250))
    for name in names:
        unit.add_image(name, files={"etc/noise": noise})
    return names


def images(unit: UnitDriver) -> list[str]:
    return list(unit.machine.volume_tree("RECOVERY").children("/Image"))


def test_old_images_are_removed_after_a_restore(unit: UnitDriver) -> None:
    names = old_images(unit, 1, 2, 3, 4)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert images(unit) == [names[0], names[2], names[3], IMAGE_NAME]
    assert "older than the 3 newest good ones" in unit.log()


def test_old_images_are_removed_until_there_is_room_for_another_one(unit: UnitDriver) -> None:
    names = old_images(unit, 1, 2, 3)
    volume = unit.volume("RECOVERY")
    volume.size = volume.current.size() + 4096
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert names[0] in images(unit)
    assert IMAGE_NAME in images(unit)
    assert names[1] not in images(unit)
    largest = max(len(unit.read("RECOVERY", f"/Image/{name}")) for name in images(unit))
    assert volume.size - volume.current.size() > largest


def test_a_cut_while_old_images_are_removed_does_no_harm(unit: UnitDriver) -> None:
    old_images(unit, 1, 2, 3, 4, 5)
    unit.remove_flag()
    names = unit.operations()
    cuts = [at for at, name in enumerate(names) if "/Image/" in name and name.startswith("remove")]
    assert len({names[at].partition(":")[0] for at in cuts}) == 2
    for at in cuts:
        one = unit.copy()
        one.cut(at)
        assert one.settle()[-1] == "switched root"
        assert IMAGE_NAME in images(one)


def test_old_logs_are_removed_from_a_full_recovery(unit: UnitDriver) -> None:
    for day in range(1, 29):
        unit.put("RECOVERY", f"/log/recov202501{day:02}_0000.log", bytes(4096))
    unit.put("RECOVERY", "/log/mfg20240101_0000.log", b"from the factory")
    unit.put("RECOVERY", "/log/notes.txt", b"of a person")
    volume = unit.volume("RECOVERY")
    volume.size = volume.current.size()
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    left = unit.machine.volume_tree("RECOVERY").children("/log")
    assert len([name for name in left if name.startswith("recov2025")]) == 20
    assert {"mfg20240101_0000.log", "notes.txt", "recovery_history.json"} <= set(left)
    assert result(unit).imaging_attempts == 2


# --- the history file -------------------------------------------------------------------------------------------------


def test_a_damaged_history_is_replaced_by_the_previous_one(unit: UnitDriver) -> None:
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    assert json.loads(unit.read("RECOVERY", f"{HISTORY}.previous"))["ImageResults"][0]["ImagingAttempts"] == 1
    unit.put("RECOVERY", HISTORY, unit.read("RECOVERY", HISTORY)[:40])
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert "going on with the history before" in unit.log()
    assert result(unit).imaging_attempts == 2
    assert unit.read("RECOVERY", f"{HISTORY}.damaged") != b""


def test_a_cut_while_the_history_is_written_does_not_lose_it(unit: UnitDriver) -> None:
    unit.remove_flag()
    names = unit.operations()
    for at, name in enumerate(names):
        if HISTORY in name:
            one = unit.copy()
            one.cut(at)
            assert one.settle()[-1] == "switched root"
            assert result(one).imaging_attempts >= 2
