"""Fields of SMBIOS structures by the labels that dmidecode prints ("Product Name", "Part Number"): what a platform
table's override field and the ``DmiMatches`` of a specification name.

Types 0 to 4, 11, 12, 17, 19, 38 and 39, every line with one value; lists (characteristics, features) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.formats.smbios import enum_names
from gprov.domain.formats.smbios.dmidecode_keywords import Version, system_uuid
from gprov.domain.formats.smbios.memory import MAPPED_RANGE, MEMORY_DEVICE, MODULE_FIELDS, RANGE_FIELDS
from gprov.domain.formats.smbios.processors import processor_family
from gprov.domain.formats.smbios.rules import Rule, megahertz, number, release, size_text, text, texts, word
from gprov.domain.formats.smbios.table import SmbiosTable, Structure

_UNSPECIFIED = {0: "Unspecified"}
_HANDLE = "0x{:04X}"


def field(table: SmbiosTable, structure_type: int, label: str, index: int = 0) -> str | None:
    """What dmidecode prints behind ``label`` (with or without its colon) for structure number ``index`` of a type.
    None if there is no such structure, or it does not tell."""
    structures = table.of_type(structure_type)
    if not 0 <= index < len(structures):
        return None
    return fields(structures[index], table.version).get(_plain(label))


def fields(structure: Structure, version: Version) -> Mapping[str, str]:
    """Every field that the structure has, by label."""
    numbered = _NUMBERED.get(structure.type)
    if numbered is not None:
        count = structure.number(0x04) if structure.length >= 0x05 else 0
        return {f"{numbered} {index}": _string(structure, index) for index in range(1, count + 1)}
    values = ((rule.label, rule.value(structure)) for rule in _rules(structure.type, version))
    return {label: value for label, value in values if value is not None}


def known_label(structure_type: int, label: str) -> bool:
    """Whether ``field`` could ever find this."""
    plain = _plain(label)
    numbered = _NUMBERED.get(structure_type)
    if numbered is not None:
        head, _, tail = plain.rpartition(" ")
        return head == numbered and tail.isascii() and tail.isdigit() and 1 <= int(tail) <= 255
    return any(rule.label == plain for rule in _rules(structure_type, (3, 0)))


def _plain(label: str) -> str:
    return label.strip().removesuffix(":")


def _string(structure: Structure, index: int) -> str:
    return structure.strings[index - 1] if index <= len(structure.strings) else "<BAD INDEX>"


def _rules(structure_type: int, version: Version) -> tuple[Rule, ...]:
    if structure_type == 1:
        return (*_SYSTEM, Rule("UUID", 0x19, lambda structure: system_uuid(structure, version)))
    if structure_type == 4:
        return (*_PROCESSOR, Rule("Family", 0x1A, lambda structure: processor_family(structure, version)))
    return _FIELDS.get(structure_type, ())


def _address(bios: Structure) -> str | None:
    segment = bios.number(0x06, 2)
    return f"0x{segment:04X}0" if segment else None


def _runtime_size(bios: Structure) -> str | None:
    segment = bios.number(0x06, 2)
    size = (0x10000 - segment) << 4
    if not segment:
        return None
    return f"{size} bytes" if size & 0x3FF else f"{size >> 10} kB"


def _rom_size(bios: Structure) -> str:
    blocks = bios.number(0x09)
    if blocks != 0xFF:
        return size_text((blocks + 1) << 6, 1)
    extended = bios.number(0x18, 2) if bios.length >= 0x1A else 16
    unit = ("MB", "GB", enum_names.OUT_OF_SPEC, enum_names.OUT_OF_SPEC)[extended >> 14]
    return f"{extended & 0x3FFF} {unit}"


def _chassis_sku(chassis: Structure) -> str | None:
    behind = 0x15 + chassis.number(0x13) * chassis.number(0x14)
    return chassis.text(behind) if chassis.length > behind else None


def _voltage(processor: Structure) -> str:
    code = processor.number(0x11)
    if code & 0x80:
        return f"{(code & 0x7F) / 10:.1f} V"
    return " ".join(name for bit, name in enumerate(("5.0 V", "3.3 V", "2.9 V")) if code >> bit & 1) or "Unknown"


def _socket_status(processor: Structure) -> str:
    code = processor.number(0x18)
    return f"Populated, {enum_names.PROCESSOR_STATUS.name_of(code & 7)}" if code & 0x40 else "Unpopulated"


def _processor_id(processor: Structure) -> str:
    return " ".join(f"{byte:02X}" for byte in processor.formatted[0x08:0x10])


def _count(label: str, short: int, long: int) -> Rule:
    """A number of cores or threads: 0 is not told, 0xFF stands in a 16-bit field further behind."""

    def decode(processor: Structure) -> str | None:
        count = processor.number(short)
        if count == 0xFF and processor.length >= long + 2:
            return str(processor.number(long, 2))
        return str(count) if count else None

    return Rule(label, 0x28, decode)


def _ipmi_address(bmc: Structure) -> str:
    if bmc.number(0x04) == 4:
        return f"0x{bmc.number(0x08) >> 1:02X} (SMBus)"
    raw = bmc.number(0x08, 8)
    low = bmc.number(0x10) >> 4 & 1 if bmc.length >= 0x11 else 0
    return f"0x{raw & ~1 | low:016X} ({'I/O' if raw & 1 else 'Memory-mapped'})"


def _ipmi_spacing(bmc: Structure) -> str | None:
    return None if bmc.number(0x04) == 4 else enum_names.IPMI_SPACING.name_of(bmc.number(0x10) >> 6)


def _power_status(supply: Structure) -> str:
    code = supply.number(0x0E, 2)
    return f"Present, {enum_names.POWER_STATUS.name_of(code >> 7 & 7)}" if code & 2 else "Not Present"


_NUMBERED = {11: "String", 12: "Option"}
_SYSTEM = (
    *texts(0x08, "Manufacturer|Product Name|Version|Serial Number", 0x04),
    Rule("Wake-up Type", 0x19, word(enum_names.WAKE_UP, 0x18)),
    *texts(0x1B, "SKU Number|Family", 0x19),
)
_PROCESSOR = (
    Rule("Socket Designation", 0x1A, text(0x04)),
    Rule("Type", 0x1A, word(enum_names.PROCESSOR_TYPE, 0x05)),
    Rule("Manufacturer", 0x1A, text(0x07)),
    Rule("ID", 0x1A, _processor_id),
    Rule("Version", 0x1A, text(0x10)),
    Rule("Voltage", 0x1A, _voltage),
    Rule("External Clock", 0x1A, megahertz(0x12)),
    Rule("Max Speed", 0x1A, megahertz(0x14)),
    Rule("Current Speed", 0x1A, megahertz(0x16)),
    Rule("Status", 0x1A, _socket_status),
    Rule("Upgrade", 0x1A, word(enum_names.PROCESSOR_UPGRADE, 0x19)),
    *texts(0x23, "Serial Number|Asset Tag|Part Number", 0x20),
    _count("Core Count", 0x23, 0x2A),
    _count("Core Enabled", 0x24, 0x2C),
    _count("Thread Count", 0x25, 0x2E),
)
_FIELDS: Mapping[int, tuple[Rule, ...]] = {
    0: (
        *texts(0x12, "Vendor|Version", 0x04),
        Rule("Release Date", 0x12, text(0x08)),
        Rule("Address", 0x12, _address),
        Rule("Runtime Size", 0x12, _runtime_size),
        Rule("ROM Size", 0x12, _rom_size),
        Rule("BIOS Revision", 0x18, release(0x14)),
        Rule("Firmware Revision", 0x18, release(0x16)),
    ),
    2: (
        *texts(0x08, "Manufacturer|Product Name|Version|Serial Number", 0x04),
        Rule("Asset Tag", 0x09, text(0x08)),
        Rule("Location In Chassis", 0x0E, text(0x0A)),
        Rule("Chassis Handle", 0x0E, number(0x0B, 2, form=_HANDLE)),
        Rule("Type", 0x0E, word(enum_names.BOARD_TYPE, 0x0D)),
    ),
    3: (
        Rule("Manufacturer", 0x09, text(0x04)),
        Rule("Type", 0x09, word(enum_names.CHASSIS_TYPE, 0x05, 0x7F)),
        Rule("Lock", 0x09, word(enum_names.CHASSIS_LOCK, 0x05, 1, 7)),
        *texts(0x09, "Version|Serial Number|Asset Tag", 0x06),
        Rule("Boot-up State", 0x0D, word(enum_names.CHASSIS_STATE, 0x09)),
        Rule("Power Supply State", 0x0D, word(enum_names.CHASSIS_STATE, 0x0A)),
        Rule("Thermal State", 0x0D, word(enum_names.CHASSIS_STATE, 0x0B)),
        Rule("Security Status", 0x0D, word(enum_names.CHASSIS_SECURITY, 0x0C)),
        Rule("OEM Information", 0x11, number(0x0D, 4, form="0x{:08X}")),
        Rule("Height", 0x13, number(0x11, form="{} U", special=_UNSPECIFIED)),
        Rule("Number Of Power Cords", 0x13, number(0x12, special=_UNSPECIFIED)),
        Rule("SKU Number", 0x16, _chassis_sku),
    ),
    MEMORY_DEVICE: MODULE_FIELDS,
    MAPPED_RANGE: RANGE_FIELDS,
    38: (
        Rule("Interface Type", 0x10, word(enum_names.IPMI_INTERFACE, 0x04)),
        Rule("Specification Version", 0x10, lambda bmc: f"{bmc.number(5) >> 4}.{bmc.number(5) & 0x0F}"),
        Rule("I2C Slave Address", 0x10, lambda bmc: f"0x{bmc.number(6) >> 1:02x}"),
        Rule("NV Storage Device Address", 0x10, number(0x07, absent=0xFF)),
        Rule("Base Address", 0x10, _ipmi_address),
        Rule("Register Spacing", 0x12, _ipmi_spacing),
        Rule("Interrupt Number", 0x12, number(0x11, absent=0)),
    ),
    39: (
        Rule("Power Unit Group", 0x10, number(0x04, absent=0)),
        *texts(0x10, "Location|Name|Manufacturer|Serial Number|Asset Tag|Model Part Number|Revision", 0x05),
        Rule("Max Power Capacity", 0x10, number(0x0C, 2, form="{} W", special={0x8000: "Unknown"})),
        Rule("Status", 0x10, _power_status),
        Rule("Type", 0x10, lambda supply: enum_names.POWER_TYPE.name_of(supply.number(0x0E, 2) >> 10 & 0x0F)),
        Rule(
            "Input Voltage Range Switching",
            0x10,
            lambda supply: enum_names.POWER_SWITCHING.name_of(supply.number(0x0E, 2) >> 3 & 0x0F),
        ),
        Rule("Plugged", 0x10, lambda supply: "No" if supply.number(0x0E, 2) & 4 else "Yes"),
        Rule("Hot Replaceable", 0x10, lambda supply: "Yes" if supply.number(0x0E, 2) & 1 else "No"),
    ),
}
