"""A unit that needs a person beeps and lights up; one that does not, does neither."""

from __future__ import annotations

from gprov.adapters.fake.machine.stop import StopReason
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver


def test_a_start_and_a_restore_are_silent() -> None:
    unit = units.running()
    unit.remove_flag()
    assert unit.settle()[-1] == "switched root"
    assert unit.world.attention.alarms == 0


def test_a_unit_that_gives_up_calls_all_the_time_until_it_restarts() -> None:
    unit = units.running()
    del unit.machine.disks[0]
    before = unit.machine.clock.slept
    assert unit.boot() is StopReason.REBOOT
    minutes = (unit.machine.clock.slept - before) // 60
    assert unit.world.attention.alarms >= minutes - 5


def test_a_restore_that_fails_calls() -> None:
    unit = units.running()
    for path in unit.machine.volume_tree("RECOVERY").paths():
        if path.endswith(".upd"):
            unit.put("RECOVERY", path, b"damaged")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.world.attention.alarms > 0


def test_an_earlier_erase_that_failed_calls() -> None:
    unit: UnitDriver = units.running()
    assert unit.boot({"DATA_ERASE": "UNRECOVERABLE_ERROR"}) is StopReason.REBOOT
    assert unit.world.attention.alarms > 0
