"""Carrying out a boot-entry reconciliation on the firmware."""

from __future__ import annotations

from typing import assert_never

from gprov.apps.events import EventBus
from gprov.domain.boot.entries import DeleteVariable, EspLocation, SetVariable, reconcile, wanted_entries
from gprov.domain.boot.firmware import EFI_GLOBAL, Variable, VariableName
from gprov.domain.disk.model import Partition
from gprov.domain.plan.operations import UpdateBootEntries
from gprov.ports.firmware import Firmware


def boot_variables(firmware: Firmware) -> dict[str, Variable]:
    """Boot####, BootOrder, BootNext, BootCurrent and their kin, by name."""
    found = {}
    for name in firmware.variables():
        if name.vendor == EFI_GLOBAL and name.name.startswith("Boot"):
            variable = firmware.read(name)
            if variable is not None:
                found[name.name] = variable
    return found


def update_boot_entries(firmware: Firmware, esp: Partition, operation: UpdateBootEntries, bus: EventBus) -> None:
    """Write only what differs, in the order that keeps the unit bootable in between."""
    sector = operation.esp.disk.sector_size
    location = EspLocation(esp.number, esp.start // sector, esp.size // sector, esp.uuid)
    wanted = wanted_entries(operation.branding, location, operation.extra_arguments)
    changes = reconcile(boot_variables(firmware), wanted)
    if not changes:
        bus.log("boot entries are right already")
    for change in changes:
        bus.log(change.describe())
        match change:
            case SetVariable():
                firmware.write(VariableName(change.name), change.variable)
            case DeleteVariable():
                firmware.delete(VariableName(change.name))
            case _:
                assert_never(change)
