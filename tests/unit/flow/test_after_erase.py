"""The start after a data erase: no root can come any more, so the unit does not wait for one. Others still wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fuzz.raid_metadata import imsm_block, imsm_sectors
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.boot.decisions import RestoreReason
from gprov.domain.disk.model import Bus
from gprov.domain.erase.extents import Extent
from gprov.domain.platform.model import FakeraidType, RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import NORMAL, UnitDriver

CONFIRMED = {"DATA_ERASE": "1", "DATA_ERASE_SERIAL": SERIAL}
LEFT = "/log/erase_left.json"
DEADLINE = 120.0
SOON = 30.0


def data_disks(unit: UnitDriver) -> list[FakeDisk]:
    return [disk for disk in unit.machine.disks if disk.bus is not Bus.USB]


def erased(options: str = "", *, level: RaidLevel | None = None, disks: int = 1) -> UnitDriver:
    unit = units.running(level=level, disks=disks)
    assert unit.boot({**CONFIRMED, "DATA_ERASE_OPTIONS": options}) is StopReason.REBOOT
    return unit


def next_start(unit: UnitDriver) -> float:
    """Start the unit, which restores itself; how many seconds after power-on it had done that."""
    before = unit.machine.clock.total_elapsed
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "FR_SUCCEEDED" in unit.log()
    return unit.machine.clock.total_elapsed - before


@pytest.mark.parametrize("options", ["", "scheme:one", "scheme:zero", "scheme:three"])
def test_an_erased_unit_restores_itself_at_once(options: str) -> None:
    unit = erased(options)
    assert next_start(unit) < SOON
    assert RestoreReason.DISKS_UNUSED.value in unit.log()
    assert unit.settle()[-1] == "switched root"


def test_so_does_one_with_two_erased_disks() -> None:
    assert next_start(erased(level=RaidLevel.RAID1, disks=2)) < SOON


def test_metadata_of_firmware_raid_that_was_put_back_does_not_delay_it() -> None:
    unit = units.running()
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, fakeraid_type=FakeraidType.IMSM),)
    [primary] = data_disks(unit)
    sectors = imsm_sectors(imsm_block(members=4))
    primary.media.put(Extent(primary.size - 512 - len(sectors), primary.size - 512), sectors)
    unit.boot(CONFIRMED)
    assert next_start(unit) < SOON


@pytest.mark.parametrize("place", [0, -512])
def test_a_disk_that_was_written_to_since_is_waited_for(place: int) -> None:
    unit = erased()
    [primary] = data_disks(unit)
    start = place % primary.size
    primary.media.put(Extent(start, start + 512), b"x" * 512)
    assert next_start(unit) >= DEADLINE
    assert RestoreReason.FILE_SYSTEM_ABSENT.value in unit.log()


@pytest.mark.parametrize("content", [b"", b"{"])
def test_without_a_usable_record_the_unit_waits(content: bytes) -> None:
    unit = erased()
    if content:
        unit.put("RECOVERY", LEFT, content)
    else:
        unit.remove("RECOVERY", LEFT)
    assert next_start(unit) >= DEADLINE
    assert ("what an erase left on the disks is not used" in unit.warnings()) is bool(content)


def test_a_second_disk_that_appears_late_is_waited_for() -> None:
    unit = erased(level=RaidLevel.RAID1, disks=2)
    data_disks(unit)[1].appears_at = 60.0
    assert 60.0 <= next_start(unit) < DEADLINE


def test_an_exchanged_disk_is_waited_for() -> None:
    unit = erased()
    data_disks(unit)[0].serial = "ANOTHER"
    assert next_start(unit) >= DEADLINE


def test_a_unit_that_was_erased_once_still_waits_for_its_disk() -> None:
    unit = erased()
    assert unit.settle()[-1] == "switched root"
    unit.machine.restart()
    data_disks(unit)[0].appears_at = 100.0
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() >= 100.0
    assert unit.log().count("FR_SUCCEEDED") == 1


def test_a_record_that_cannot_be_written_only_delays_the_restore() -> None:
    unit = units.running()
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=LEFT))
    assert unit.boot(CONFIRMED) is StopReason.REBOOT
    assert not unit.exists("RECOVERY", LEFT)
    assert "the next start waits for a root volume" in unit.warnings()
    assert next_start(unit) >= DEADLINE
