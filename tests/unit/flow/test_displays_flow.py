"""What a unit does for its display: it is waited for shortly, found out, and shows that the system starts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.domain.boot.decide import DISPLAY_SECONDS
from gprov.domain.platform.model import Lcd
from tests.unit.flow import units
from tests.unit.flow.driver import NORMAL, UnitDriver

FACTS = "/etc/provisioning/platform_facts.json"


@pytest.fixture
def unit() -> UnitDriver:
    """A unit with a display, on which no key is pressed."""
    unit = units.running()
    unit.machine.operator_present, unit.machine.lcd = True, Lcd.CFA635
    unit.remove_flag()
    assert unit.settle()[-1] == "switched root"
    return unit


def test_the_display_that_was_found_is_in_the_facts(unit: UnitDriver) -> None:
    assert json.loads(unit.read("PRIMARY", FACTS))["Lcd"] == "635"


def test_the_first_start_says_so_and_the_next_does_not(unit: UnitDriver) -> None:
    assert "first start after the restore" in unit.world.start_display.shown[-1].starting
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.world.start_display.shown[-1].starting == "Starting the system"


def test_a_display_that_appears_late_gets_its_key_window(unit: UnitDriver) -> None:
    unit.machine.operator_from = 0.7
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(10, abs=0.5)


def test_a_display_that_is_gone_delays_a_start_by_a_second_at_most(unit: UnitDriver) -> None:
    unit.machine.operator_present = False
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() <= DISPLAY_SECONDS + 0.05


@pytest.mark.parametrize("lost", [0.7, 4.3])
def test_a_display_that_is_lost_ends_its_key_window(unit: UnitDriver, lost: float) -> None:
    unit.machine.operator_until = lost
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert lost <= unit.machine.clock.monotonic() <= max(lost, DISPLAY_SECONDS) + 0.3


def test_without_a_key_window_no_display_is_waited_for(unit: UnitDriver) -> None:
    unit.machine.operator_present = False
    assert unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0


def test_a_unit_without_a_display_waits_for_none_and_shows_nothing() -> None:
    unit = units.running()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0
    assert not unit.world.start_display.shown


def test_a_platform_with_a_display_waits_for_it_though_none_was_found() -> None:
    unit = units.running()
    unit.world.platforms = tuple(replace(platform, lcd=Lcd.CFA631) for platform in unit.world.platforms)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    unit.machine.operator_present, unit.machine.operator_from = True, 0.5
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == pytest.approx(10, abs=0.5)
