"""Who is this unit? SMBIOS against the platform table, with the fallbacks that a person or an earlier run left."""

from __future__ import annotations

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
    """What stands before any damage counts; the damage is reported. Raises DeviceMissing, BadInput."""
    table = parse_table(smbios.structures())
    for problem in table.problems:
        bus.warning(f"SMBIOS: {problem}")
    return table


def identify_unit(table: Table, platforms: tuple[Platform, ...], fallback: str, bus: EventBus) -> Unit:
    """Raises HardwareMismatch with why each platform was not it."""
    unit = identify(table, platforms, fallback)
    how = " (by fallback)" if unit.by_fallback else ""
    bus.log(f"unit {unit.serial}: {unit.platform.code_name}{how}, {unit.manufacturer} {unit.product}, SKU {unit.sku!r}")
    return unit


def known_rule(smbios: SmbiosTable, platforms: tuple[Platform, ...], proto_ident: str, bus: EventBus) -> ValidateMethod:
    """How RECOVERY must be attached, as far as that is known before it was read: a unit that is identified by what
    stands there may have any. Raises HardwareMismatch for a RECOVERY that is no device."""
    try:
        unit = identify(parse_table(smbios.structures()), platforms, proto_ident)
    except GprovError as error:
        bus.log(f"the platform is not known before RECOVERY is found: {error}")
        return ValidateMethod.NONE
    return attachment_rule(unit.platform)


def stored_fallback(files: Files, recovery: str, bus: EventBus) -> str:
    """The code name that provisioning left because it had identified the unit by fallback; "" if it did not. One that
    cannot be read is reported: most units are known without it."""
    path = f"{recovery}/{PLATFORM_IDENT}"
    try:
        if files.status(path) is None:
            return ""
        return files.read(path, 4096).decode("utf-8", "replace").strip()
    except DeviceFault as fault:
        bus.warning(f"no code name from RECOVERY: {fault}")
        return ""
