"""NVRAM with a variable that the firmware does not read out any more: what is said by the others counts as before."""

from __future__ import annotations

import pytest
from typing_extensions import override

from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.boot.boot_entries import boot_variables, is_fallback_boot
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.execution.boot_entry_update import update_boot_entries
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Disk, Partition
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, BOOT_NEXT, BOOT_ORDER, NV_BS_RT, serialise_numbers
from gprov.domain.formats.efi.load_option import read_description
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.disk_operations import PartitionRef, UpdateBootEntries
from gprov.domain.platform.default_table import default_table

BRANDING = Branding()
ESP = Partition(
    name="sda1",
    node="/dev/sda1",
    device=DeviceNumber(8, 1),
    number=1,
    start=MIB,
    size=200 * MIB,
    uuid="0bd3e2f2-8b0c-4a3f-9d5c-2c1d4e5f6a7b",
)
DISK = Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=GIB, partitions=(ESP,))
UPDATE = UpdateBootEntries(PartitionRef(DISK, 1), BRANDING)


class DamagedFirmware(FakeFirmware):
    """``damaged`` is listed, and cannot be read."""

    def __init__(self, machine: SimulatedMachine, damaged: str) -> None:
        super().__init__(machine)
        self._damaged = VariableName(damaged)

    @override
    def variables(self) -> tuple[VariableName, ...]:
        return (*super().variables(), self._damaged)

    @override
    def read(self, name: VariableName) -> Variable | None:
        if name == self._damaged:
            raise DeviceFault(name.name, "cannot read: the firmware reports a device error")
        return super().read(name)


@pytest.fixture
def machine() -> SimulatedMachine:
    return SimulatedMachine()


@pytest.fixture
def bus(machine: SimulatedMachine) -> EventBus:
    return EventBus(machine.clock)


def described(machine: SimulatedMachine) -> dict[str, str | None]:
    return {
        name.name: read_description(variable.data)
        for name, variable in machine.nvram.items()
        if name.name.startswith("Boot0")
    }


def test_entries_are_made_beside_one_that_cannot_be_read(machine: SimulatedMachine, bus: EventBus) -> None:
    firmware = DamagedFirmware(machine, "Boot0000")
    update_boot_entries(firmware, firmware, ESP, UPDATE, bus)
    found = described(machine)
    assert set(found.values()) == {BRANDING.normal_entry, BRANDING.restore_entry, BRANDING.erase_entry}
    assert "Boot0000" not in found  # an unreadable entry has no owner
    assert found["Boot0001"] == BRANDING.normal_entry
    assert machine.nvram[VariableName(BOOT_ORDER)].data == serialise_numbers([1])


def test_a_person_is_heard_beside_an_entry_that_cannot_be_read(machine: SimulatedMachine, bus: EventBus) -> None:
    firmware = DamagedFirmware(machine, "Boot0007")
    update_boot_entries(firmware, firmware, ESP, UPDATE, bus)
    context = UnitContext(
        branding=BRANDING,
        mount_points=MountPoints(),
        arguments=parse_boot_arguments({}, BRANDING),
        bus=bus,
        load_platforms=default_table,
    )
    numbers = {text: int(name[4:], 16) for name, text in described(machine).items()}
    for number, fallback in (
        (numbers[BRANDING.restore_entry], False),
        (numbers[BRANDING.normal_entry], True),
        (7, True),
    ):
        machine.nvram[VariableName(BOOT_CURRENT)] = Variable(NV_BS_RT, serialise_numbers([number]))
        assert is_fallback_boot(firmware, context) is fallback


@pytest.mark.parametrize("name", [BOOT_ORDER, BOOT_NEXT, BOOT_CURRENT])
def test_nothing_is_made_of_a_list_that_cannot_be_read(machine: SimulatedMachine, bus: EventBus, name: str) -> None:
    firmware = DamagedFirmware(machine, name)
    with pytest.raises(DeviceFault, match=name):
        boot_variables(firmware, bus)
    with pytest.raises(DeviceFault, match=name):
        update_boot_entries(firmware, firmware, ESP, UPDATE, bus)
    assert machine.nvram == {}
