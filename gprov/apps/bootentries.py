"""Boot entries of the firmware: how this start came from them, and carrying out their reconciliation."""

from __future__ import annotations

from typing import assert_never

from gprov.apps.events import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.entries import (
    DeleteVariable,
    EspLocation,
    SetVariable,
    reconcile,
    started_by_fallback,
    wanted_entries,
)
from gprov.domain.boot.firmware import EFI_GLOBAL, FirmwareKind, Variable, VariableName
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Partition
from gprov.domain.errors import GprovError
from gprov.domain.plan.disk_operations import UpdateBootEntries
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


def chosen_by_nobody(firmware: Firmware, arguments: BootArguments, branding: Branding, bus: EventBus) -> bool:
    """Was a kernel without arguments started since nothing better was found? Without variables nobody can say that a
    person wished this start; only BIOS never has any, and there the boot loader says it."""
    if arguments.loader_fallback or firmware.kind() is FirmwareKind.BIOS:
        return arguments.loader_fallback
    try:
        variables = boot_variables(firmware)
    except GprovError as error:
        bus.warning(str(error))
        return True
    return not variables or started_by_fallback(variables, branding)


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
