"""Boot entries of the firmware: reading them, and how this boot came from them."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boot_partition import started_file
from gprov.domain.boot.entries import started_by_fallback
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.efi.boot_variables import entry_number
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable
from gprov.ports.firmware import Firmware


def boot_variables(firmware: Firmware, bus: EventBus) -> dict[str, Variable]:
    """Boot####, BootOrder, BootNext, BootCurrent and the other variables Boot…, by name. Raises DeviceFault.

    An entry that the firmware cannot read (some stay damaged for years) is returned with empty data, so that its number
    counts as taken. If one of the lists cannot be read, DeviceFault is raised: the entries mean nothing without it.
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


def started_from_main_kernel(firmware: Firmware, context: UnitContext) -> bool:
    """Whether the firmware has started this boot from RECOVERY's first kernel, by a boot entry. False on BIOS, and if
    that cannot be proved."""
    try:
        started = started_file(boot_variables(firmware, context.bus))
    except GprovError as error:
        context.bus.warning(str(error))
        return False
    return started == f"/{context.branding.boot_kernel}".lower()


def is_fallback_boot(firmware: Firmware, context: UnitContext) -> bool:
    """Did loader or firmware start this kernel without arguments since no better entry worked?

    On BIOS the loader passes an argument that says so. On UEFI the variables show it; without any variable, a person's
    choice cannot be proved, and the boot counts as a fallback boot.
    """
    arguments = context.arguments
    if arguments.loader_fallback or firmware.kind() is FirmwareKind.BIOS:
        return arguments.loader_fallback
    try:
        variables = boot_variables(firmware, context.bus)
    except GprovError as error:
        context.bus.warning(str(error))
        return True
    return not variables or started_by_fallback(variables, context.branding)
