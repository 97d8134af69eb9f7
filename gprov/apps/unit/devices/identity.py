"""Identification of this unit: SMBIOS against the platform table, with the code names for fallback identification."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.smbios.table import SmbiosTable as Table
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.platform.identify import Unit, identify
from gprov.domain.platform.model import ValidateMethod
from gprov.domain.platform.table import Platform
from gprov.domain.recovery_files import PLATFORM_IDENT
from gprov.ports.files import Files
from gprov.ports.firmware import SmbiosTable


def read_smbios(smbios: SmbiosTable, bus: EventBus) -> Table:
    """The structures before the first damaged one; the damage is reported. Raises DeviceMissing, BadInput."""
    table = parse_table(smbios.structures())
    for problem in table.problems:
        bus.warning(f"SMBIOS: {problem}")
    return table


def identify_unit(table: Table, platforms: tuple[Platform, ...], fallback: str, bus: EventBus) -> Unit:
    """``fallback``: code name for fallback identification, "" for none. Raises HardwareMismatch with the reason for
    each platform that does not match."""
    unit = identify(table, platforms, fallback)
    how = " (by fallback)" if unit.by_fallback else ""
    bus.log(f"unit {unit.serial}: {unit.platform.code_name}{how}, {unit.manufacturer} {unit.product}, SKU {unit.sku!r}")
    return unit


def recovery_attachment_rule(smbios: SmbiosTable, context: UnitContext) -> ValidateMethod:
    """How RECOVERY must be attached, as far as SMBIOS shows it. A unit that only ``platform.ident`` on RECOVERY
    identifies has no rule yet: NONE. Raises HardwareMismatch for a RECOVERY that is not a device."""
    try:
        unit = identify(parse_table(smbios.structures()), context.platforms, context.arguments.proto_ident)
    except GprovError as error:
        context.bus.log(f"the platform is not known before RECOVERY is found: {error}")
        return ValidateMethod.NONE
    return attachment_rule(unit.platform)


def code_name_so_far(smbios: SmbiosTable, files: Files, context: UnitContext) -> str:
    """While RECOVERY is mounted, before a restore identifies the unit, which reports why that fails; "" then."""
    fallback = context.arguments.proto_ident or stored_code_name(files, context)
    try:
        return identify(parse_table(smbios.structures()), context.platforms, fallback).platform.code_name
    except GprovError:
        return ""


def stored_code_name(files: Files, context: UnitContext) -> str:
    """Content of ``platform.ident`` on the mounted RECOVERY, which provisioning writes after a fallback identification;
    "" if it does not exist. An unreadable one is reported and counts as "": SMBIOS identifies most units."""
    path = f"{context.mount_points.recovery}/{PLATFORM_IDENT}"
    try:
        if files.status(path) is None:
            return ""
        return files.read(path, 4096).decode("utf-8", "replace").strip()
    except DeviceFault as fault:
        context.bus.warning(f"no code name from RECOVERY: {fault}")
        return ""
