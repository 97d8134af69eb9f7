"""The menu of a unit: the key that opens it, each of its choices, and no answer."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.domain.boot.boot_menu import ITEMS, TITLE, Item
from tests.unit.flow import units
from tests.unit.flow.driver import BUDGET, NEVER, NEWER, NORMAL, UnitDriver

OLDEST = "WIDGET.LNX.SHINY.2025-02-01.10.upd"
NEWEST = NEWER
# The last item of the menu of images, after three images and a spacer.
LEAVE_IMAGES = "4"


@pytest.fixture
def unattended() -> UnitDriver:
    """A unit with an older and a newer image than the one that it runs, without keyboard and screen."""
    unit = units.running()
    for name in (OLDEST, NEWEST):
        unit.add_image(name, files={f"etc/{name}": b""})
    return unit


@pytest.fixture
def unit(unattended: UnitDriver) -> UnitDriver:
    """The same with a person, who presses the keys that a test sets."""
    unattended.machine.operator_present = True
    return unattended


def key(item: Item) -> str:
    return str(ITEMS.index(item))


def test_without_a_key_the_unit_boots_when_the_window_closes(unit: UnitDriver) -> None:
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(10, abs=0.3)
    assert unit.machine.messages == ["Press any key for the boot menu (10 s)"]


def test_a_unit_without_keyboard_boots_without_waiting_for_a_key(unattended: UnitDriver) -> None:
    assert unattended.boot() is StopReason.SWITCHED_ROOT
    assert unattended.machine.clock.monotonic() == 0
    assert unattended.machine.messages == []


def test_a_key_window_of_zero_seconds_is_not_waited_for(unit: UnitDriver) -> None:
    assert unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0


@pytest.mark.parametrize(
    "keys",
    [
        ["any", key(Item.RESUME), "yes"],
        ["any", "2"],
        ["any", "6"],
        ["any", key(Item.RESTORE_LATEST), "no", "2"],
        ["any", key(Item.ERASE), "no", key(Item.POWER_OFF), "no", key(Item.RESUME), "yes"],
        ["any", key(Item.ERASE), "yes", "no", "2"],
    ],
)
def test_resume_starts_the_system(unit: UnitDriver, keys: list[str]) -> None:
    unit.machine.keys = keys
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.keys == []
    assert unit.machine.media_state() == before


def test_a_menu_without_any_answer_starts_the_system(unit: UnitDriver) -> None:
    unit.machine.keys = ["any"]
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(600, abs=11)
    assert unit.machine.media_state() == before


def test_a_choice_that_is_not_confirmed_has_no_effect(unit: UnitDriver) -> None:
    unit.machine.keys = ["any", key(Item.RESTORE_LATEST)]
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.media_state() == before


def test_power_off_in_the_menu_changes_nothing(unit: UnitDriver) -> None:
    unit.machine.keys = ["any", key(Item.POWER_OFF), "yes"]
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.POWER_OFF
    assert unit.machine.media_state() == before
    unit.machine.operator_present = False
    assert unit.boot() is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize(
    ("keys", "image"),
    [
        (["any", key(Item.RESTORE_LATEST), "yes"], NEWEST),
        (["any", key(Item.RESTORE_OLDEST), "yes"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "0", "yes"], NEWEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "1", "yes"], IMAGE_NAME),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "2", "yes"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "0", "no", "2", "yes"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", LEAVE_IMAGES, key(Item.RESTORE_LATEST), "yes"], NEWEST),
    ],
)
def test_restores_in_the_menu_take_the_image_that_was_chosen(unit: UnitDriver, keys: list[str], image: str) -> None:
    unit.machine.keys = keys
    assert unit.boot() is StopReason.REBOOT
    unit.machine.operator_present = False
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.systems() == [image]


def test_when_the_chosen_image_is_damaged_the_newest_one_is_restored(unit: UnitDriver) -> None:
    unit.put("RECOVERY", f"/Image/{OLDEST}", unit.read("RECOVERY", f"/Image/{OLDEST}")[:-4])
    unit.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", "2", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWEST]
    assert OLDEST in unit.errors()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([LEAVE_IMAGES], id="left"),
        pytest.param([], id="no choice in time"),
        pytest.param(["0", "no", LEAVE_IMAGES], id="not confirmed, then left"),
        pytest.param(["0"], id="no answer to the question"),
        pytest.param(["0", "no"] * 30, id="noise"),
    ],
)
def test_leaving_the_menu_of_images_leads_to_the_boot_menu_and_restores_nothing(
    unit: UnitDriver, answers: list[str]
) -> None:
    unit.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", *answers]
    recovery = unit.files("RECOVERY"), unit.read("RECOVERY", BUDGET)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert (unit.files("RECOVERY"), unit.read("RECOVERY", BUDGET)) == recovery
    menus = [message for message in unit.machine.messages if message in (TITLE, "Which image?")]
    assert menus[:2] == [TITLE, "Which image?"]
    assert menus[-1] == TITLE
    assert "state FR_STARTED" not in unit.log()


def test_a_menu_of_images_that_is_left_again_and_again_starts_the_system(unit: UnitDriver) -> None:
    unit.machine.keys = ["any", *[key(Item.RESTORE_CHOSEN), "yes", LEAVE_IMAGES] * 50]
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert unit.machine.keys != []


def test_the_question_about_the_chosen_image_names_it(unit: UnitDriver) -> None:
    unit.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", "2", "yes"]
    unit.boot()
    [question] = [message for message in unit.machine.messages if message.startswith("Erase the system")]
    assert OLDEST.removesuffix(".upd") in question


def boot_restore_entry_with_menu(unit: UnitDriver) -> StopReason:
    """Start through the entry for a restore, with the argument that asks for the image."""
    unit.machine.restart()
    unit.choose_restore()
    return unit.boot({**firmware_start(unit.machine), "PREFERRED_UPDATE": "menu"})


@pytest.mark.parametrize(
    ("answers", "image"),
    [
        pytest.param(["2", "yes"], OLDEST, id="chosen"),
        pytest.param(["0", "no", "2", "yes"], OLDEST, id="chosen again"),
        pytest.param([], NEWEST, id="no choice in time"),
        pytest.param([LEAVE_IMAGES], IMAGE_NAME, id="left"),
    ],
)
def test_a_boot_entry_can_ask_a_person_for_the_image(unit: UnitDriver, answers: list[str], image: str) -> None:
    unit.machine.keys = answers
    assert boot_restore_entry_with_menu(unit) is StopReason.REBOOT
    assert unit.systems() == [image]


def test_a_choice_before_a_pause_is_not_asked_for_again(unit: UnitDriver) -> None:
    for _ in range(3):
        unit.remove_flag()
        unit.machine.operator_present = False
        assert unit.boot(NORMAL) is StopReason.REBOOT
    unit.machine.operator_present = True
    unit.machine.keys = ["2", "yes", "any"]
    assert boot_restore_entry_with_menu(unit) is StopReason.REBOOT
    assert "The next factory restore begins" in unit.log()
    assert unit.systems() == [OLDEST]
    assert unit.machine.messages.count("Which image?") == 1


@pytest.mark.parametrize(("word", "image"), [("oldest", OLDEST), ("-Oldest", OLDEST), ("menu", NEWEST), ("", NEWEST)])
def test_without_a_person_the_boot_entry_selects_the_image(unattended: UnitDriver, word: str, image: str) -> None:
    unattended.remove_flag()
    before = unattended.machine.clock.slept
    assert unattended.boot({**NORMAL, "PREFERRED_UPDATE": word}) is StopReason.REBOOT
    assert unattended.systems() == [image]
    assert unattended.machine.clock.slept < before + 10, "only what lets devices settle"


def test_the_failure_of_an_earlier_erase_is_shown_and_nothing_is_erased(unit: UnitDriver) -> None:
    before = unit.machine.media_state()
    assert unit.boot({"DATA_ERASE": "UNRECOVERABLE_ERROR"}) is StopReason.REBOOT
    assert any("An earlier data erase of this unit FAILED" in message for message in unit.machine.messages)
    assert unit.machine.clock.slept >= 300
    assert unit.machine.media_state() == before


def test_a_menu_while_the_root_is_missing_does_not_lead_to_a_restore(unit: UnitDriver) -> None:
    unit.machine.disks[0].appears_at = NEVER
    unit.machine.keys = ["any", key(Item.RESUME), "yes"]
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "root volume not found" in unit.errors()
    assert unit.systems() == [IMAGE_NAME]
