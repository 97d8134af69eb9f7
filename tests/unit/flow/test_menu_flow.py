"""The menu of a unit: the key that opens it, each of its choices, and no answer."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.world import IMAGE_NAME
from gprov.domain.boot.boot_menu import ITEMS, Item
from tests.unit.flow import units
from tests.unit.flow.driver import NEVER, NEWER, NORMAL, UnitDriver

OLDEST = "WIDGET.LNX.SHINY.2025-02-01.10.upd"
NEWEST = NEWER


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
        (["any", key(Item.RESTORE_CHOSEN), "yes", "0"], NEWEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "1"], IMAGE_NAME),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "2"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes"], NEWEST),
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
    unit.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", "2"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWEST]
    assert OLDEST in unit.errors()


@pytest.mark.parametrize(("word", "image"), [("oldest", OLDEST), ("-Oldest", OLDEST), ("menu", NEWEST), ("", NEWEST)])
def test_without_a_person_the_boot_entry_selects_the_image(unattended: UnitDriver, word: str, image: str) -> None:
    unattended.remove_flag()
    before = unattended.machine.clock.slept
    assert unattended.boot({**NORMAL, "PREFERRED_UPDATE": word}) is StopReason.REBOOT
    assert unattended.systems() == [image]
    assert unattended.machine.clock.slept < before + 10, "only what lets devices settle"


def refused_visibly(unit: UnitDriver, what: str) -> None:
    assert f"{what} is not supported by this version; nothing was done" in unit.errors()
    assert any(what in message for message in unit.machine.messages)
    assert unit.machine.clock.slept >= 300


def test_erase_in_the_menu_is_refused_visibly(unit: UnitDriver) -> None:
    unit.machine.keys = ["any", key(Item.ERASE), "yes", "yes"]
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.REBOOT
    refused_visibly(unit, "Erase")
    assert unit.machine.media_state() == before


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"DATA_ERASE": "1"}, "Erase"),
        ({"DATA_ERASE": "UNRECOVERABLE_ERROR"}, "ShowEraseFailure"),
        ({**NORMAL, "frmode": "shell"}, "OpenShell"),
    ],
)
def test_unsupported_starts_are_refused_visibly(unit: UnitDriver, arguments: dict[str, str], what: str) -> None:
    before = unit.machine.media_state()
    assert unit.boot(arguments) is StopReason.REBOOT
    refused_visibly(unit, what)
    assert unit.machine.media_state() == before
    unit.machine.operator_present = False
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_a_menu_while_the_root_is_missing_does_not_lead_to_a_restore(unit: UnitDriver) -> None:
    unit.machine.disks[0].appears_at = NEVER
    unit.machine.keys = ["any", key(Item.RESUME), "yes"]
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "root volume not found" in unit.errors()
    assert unit.systems() == [IMAGE_NAME]
