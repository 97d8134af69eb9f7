"""Boot entries of the firmware: how this start came from them, and carrying out their reconciliation."""

from __future__ import annotations

from typing import assert_never

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.entries import (
    DeleteVariable,
    EspLocation,
    SetVariable,
    reconcile,
    started_by_fallback,
    wanted_entries,
)
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Partition
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.efi.boot_variables import entry_number
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName
from gprov.domain.plan.disk_operations import UpdateBootEntries
from gprov.ports.firmware import Firmware


def boot_variables(firmware: Firmware, bus: EventBus) -> dict[str, Variable]:
    """Boot####, BootOrder, BootNext, BootCurrent and their kin, by name. Raises DeviceFault.

    An entry that the firmware does not read out, damaged for years perhaps, is nobody's: it is empty here, so that its
    number counts as taken. Without the lists nothing can be said about the others.
    """
    found = {}
    for name in firmware.variables():
        if name.vendor != EFI_GLOBAL or not name.name.startswith("Boot"):
            continue
        try:
            variable = firmware.read(name)
        except DeviceFault as fault:
            if entry_number(name.name) is None:
                raise
            bus.warning(str(fault))
            variable = Variable(0, b"")
        if variable is not None:
            found[name.name] = variable
    return found


def chosen_by_nobody(firmware: Firmware, arguments: BootArguments, branding: Branding, bus: EventBus) -> bool:
    """Was a kernel without arguments started since nothing better was found? Without variables nobody can say that a
    person wished this start; only BIOS never has any, and there the boot loader says it."""
    if arguments.loader_fallback or firmware.kind() is FirmwareKind.BIOS:
        return arguments.loader_fallback
    try:
        variables = boot_variables(firmware, bus)
    except GprovError as error:
        bus.warning(str(error))
        return True
    return not variables or started_by_fallback(variables, branding)


def update_boot_entries(firmware: Firmware, esp: Partition, operation: UpdateBootEntries, bus: EventBus) -> None:
    """Write only what differs, in the order that keeps the unit bootable in between."""
    sector = operation.esp.disk.sector_size
    location = EspLocation(esp.number, esp.start // sector, esp.size // sector, esp.uuid)
    wanted = wanted_entries(operation.branding, location, operation.extra_arguments)
    changes = reconcile(boot_variables(firmware, bus), wanted)
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
