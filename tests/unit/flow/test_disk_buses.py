"""Units whose disks are on other buses than SATA and USB, with the names that the kernel gives them."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.machine import disk_name
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.apps.host.simulation.new_worlds import world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus
from gprov.domain.platform.default_table import default_table
from tests.unit.flow.driver import FLAG, UnitDriver

# RECOVERY may be on any bus.
(INTERNAL,) = (each for each in default_table() if each.product == "mfg_test_internal")
BUSES = [bus for bus in Bus if bus is not Bus.USB]


def put_on(disk: FakeDisk, bus: Bus, index: int) -> None:
    disk.bus, disk.name = bus, disk_name(bus, index)


def blank_on(data: Bus, recovery: Bus, firmware: FirmwareKind) -> UnitDriver:
    unit = UnitDriver(world_of(INTERNAL, Branding(), firmware))
    put_on(unit.machine.disks[0], data, 0)
    put_on(unit.machine.disks[1], recovery, 1)
    return unit


def partitions(disk: FakeDisk) -> list[str]:
    return [disk.partition_name(part.number) for part in disk.partitions]


@pytest.mark.parametrize("firmware", FirmwareKind)
@pytest.mark.parametrize("bus", BUSES)
def test_a_unit_with_both_disks_on_this_bus(bus: Bus, firmware: FirmwareKind) -> None:
    unit = blank_on(bus, bus, firmware)
    unit.provision()
    assert unit.boot() is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.exists("PRIMARY", FLAG)
    primary, recovery = unit.machine.disks
    assert f"/dev/{partitions(recovery)[-1]}" in unit.log()
    assert primary.table is not None
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_a_card_that_was_left_in_its_slot_is_no_target() -> None:
    """It has the size of a data disk, and the only other disk of that size is built in."""
    unit = blank_on(Bus.MMC, Bus.SCSI, FirmwareKind.UEFI)
    unit.provision()
    card = unit.machine.add_disk(unit.machine.disks[0].size, bus=Bus.MMC, serial="card")
    card.removable = True
    assert unit.boot() is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert (card.name, card.writes, card.table) == ("mmcblk1", 0, None)
    assert "excluded: is removable" in unit.log()


def test_recovery_may_be_a_card() -> None:
    unit = blank_on(Bus.ATA, Bus.MMC, FirmwareKind.BIOS)
    unit.machine.disks[1].removable = True
    unit.provision()
    assert unit.boot() is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT
