"""The start after an erase that failed or was interrupted: it has cleared the disks, so no root volume is waited for.
Where a root may come all the same, the unit waits for it."""

from __future__ import annotations

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS, ROOT_DEADLINE_SECONDS
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.erase.extents import Extent
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver
from tests.unit.flow.test_erase_flow import RECORD, data_disks, erase, report

SOON = 30.0


def failed(unit: UnitDriver) -> UnitDriver:
    """After an erase that could not write a MiB of the first disk."""
    data_disks(unit)[0].media.dropped = (Extent(1 << 30, (1 << 30) + (1 << 20)),)
    assert erase(unit) is StopReason.REBOOT
    assert report(unit)["verdict"] == "partial"
    unit.machine.messages.clear()
    return unit


def interrupted(unit: UnitDriver) -> UnitDriver:
    names = unit.operations(erase)
    unit.cut(next(at for at, name in enumerate(names) if name.startswith("overwrite ")) + 3, erase)
    return unit


class FirstTime:
    """When an operation of this name began, in seconds after power-on."""

    def __init__(self, unit: UnitDriver, name: str) -> None:
        self.seconds: float | None = None
        self._clock, self._name = unit.machine.clock, name
        unit.machine.hook = self

    def __call__(self, operation: str) -> None:
        if self.seconds is None and operation.startswith(self._name):
            self.seconds = self._clock.monotonic()


def seconds_until_shown(unit: UnitDriver) -> float:
    """Start the unit, which shows the failure for FAILURE_HOLD_SECONDS and restarts."""
    before = unit.machine.clock.total_elapsed
    assert unit.boot() is StopReason.REBOOT
    assert any("erase" in text and "boot menu" in text for text in unit.machine.messages)
    return unit.machine.clock.total_elapsed - before - FAILURE_HOLD_SECONDS


def test_a_failure_is_shown_at_once(unit: UnitDriver) -> None:
    assert seconds_until_shown(failed(unit)) < SOON


def test_also_if_the_disk_is_lost_for_good() -> None:
    unit = failed(units.running(level=RaidLevel.RAID1, disks=2))
    for disk in data_disks(unit):
        disk.detached = True
        assert seconds_until_shown(unit) < SOON


def exchange(disk: FakeDisk) -> None:
    disk.serial = "ANOTHER"


def damage(unit: UnitDriver) -> None:
    unit.put("RECOVERY", RECORD, b"{")


def test_a_disk_that_was_not_erased_may_hold_a_root(unit: UnitDriver) -> None:
    exchange(data_disks(failed(unit))[0])
    assert seconds_until_shown(unit) >= ROOT_DEADLINE_SECONDS


def test_with_a_damaged_record_a_root_may_come(unit: UnitDriver) -> None:
    damage(failed(unit))
    assert seconds_until_shown(unit) >= ROOT_DEADLINE_SECONDS


def test_an_interrupted_erase_goes_on_at_once(unit: UnitDriver) -> None:
    began = FirstTime(interrupted(unit), "overwrite ")
    assert unit.boot() is StopReason.REBOOT
    assert began.seconds is not None
    assert began.seconds < SOON
    assert report(unit)["verdict"] == "erased"


def test_unless_one_of_its_disks_is_late() -> None:
    """As long as it would wait for a root, and then for the disk."""
    unit = interrupted(units.running(level=RaidLevel.RAID1, disks=2))
    data_disks(unit)[1].appears_at = ROOT_DEADLINE_SECONDS + 45.0
    assert unit.boot() is StopReason.REBOOT
    assert report(unit)["verdict"] == "erased"


def test_a_person_who_then_resumes_the_boot_waits_for_a_root(unit: UnitDriver) -> None:
    failed(unit)
    unit.machine.operator_present = True
    resume = [str(ITEMS.index(Item.RESUME)), "yes"]
    # In the key window; then, when the failure is shown.
    unit.machine.keys = ["any", *resume, "any", "yes", *resume]
    before = unit.machine.clock.total_elapsed
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.total_elapsed - before >= ROOT_DEADLINE_SECONDS + FAILURE_HOLD_SECONDS
    assert sum("erase failed" in text for text in unit.machine.messages) == 2
    assert unit.machine.keys == []
