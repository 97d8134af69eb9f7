"""Memory modules and ranges (DSP0134, sections 7.18 and 7.20): their fields, and how much is installed."""

from __future__ import annotations

from gprov.domain.formats.smbios.enum_names import (
    MEMORY_DETAIL,
    MEMORY_FORM,
    MEMORY_MODE,
    MEMORY_TECHNOLOGY,
    MEMORY_TYPE,
    EnumNames,
)
from gprov.domain.formats.smbios.rules import Decode, Rule, number, size_text, text, texts, word
from gprov.domain.formats.smbios.table import SmbiosTable, Structure

MEMORY_DEVICE = 17
MAPPED_RANGE = 19
KIB = 1024
_UNKNOWN = {0: "Unknown"}
_UNKNOWN_SIZE = (1 << 64) - 1


def installed_memory(table: SmbiosTable) -> int:
    """Bytes of all modules; of all mapped ranges if no module has a size; 0 if the table has neither."""
    modules = sum(module_size(module) for module in table.of_type(MEMORY_DEVICE))
    return modules or sum(_range_size(mapped) for mapped in table.of_type(MAPPED_RANGE))


def module_size(module: Structure) -> int:
    """Bytes; 0 for an empty slot or a size that is not known."""
    code = module.number(0x0C, 2)
    if module.length < 0x0E or code in (0, 0xFFFF):
        return 0
    if code == 0x7FFF and module.length >= 0x20:
        return (module.number(0x1C, 4) & 0x7FFFFFFF) * KIB * KIB
    return (code & 0x7FFF) * (KIB if code & 0x8000 else KIB * KIB)


def _range_size(mapped: Structure) -> int:
    if mapped.length < 0x0F:
        return 0
    if mapped.length >= 0x1F and mapped.number(0x04, 4) == 0xFFFFFFFF:
        first, last = mapped.number(0x0F, 8), mapped.number(0x17, 8)
        return last - first + 1 if last > first else 0
    return max(0, mapped.number(0x08, 4) - mapped.number(0x04, 4) + 1) * KIB


def _size(module: Structure) -> str:
    code = module.number(0x0C, 2)
    if code == 0:
        return "No Module Installed"
    if code == 0xFFFF:
        return "Unknown"
    if code == 0x7FFF and module.length >= 0x20:
        megabytes = module.number(0x1C, 4) & 0x7FFFFFFF
        if megabytes & 0x3FF:
            return f"{megabytes} MB"
        return f"{megabytes >> 10} GB" if megabytes & 0xFFC00 else f"{megabytes >> 20} TB"
    return size_text(module_size(module) // KIB, 1)


def _present(decode: Decode) -> Decode:
    """Of an empty slot, dmidecode does not tell this."""
    return lambda module: decode(module) if module.number(0x0C, 2) else None


def _flags(words: EnumNames, offset: int) -> Decode:
    return lambda module: words.flags(module.number(offset, 2))


def _speed(offset: int, extended: int) -> Decode:
    def decode(module: Structure) -> str:
        speed = module.number(offset, 2)
        if speed == 0xFFFF:
            speed = module.number(extended, 4) if module.length >= 0x5C else 0
        return f"{speed} MT/s" if speed else "Unknown"

    return decode


def _voltage(offset: int) -> Decode:
    def decode(module: Structure) -> str:
        millivolts = module.number(offset, 2)
        if not millivolts:
            return "Unknown"
        return f"{millivolts / 1000:g} V" if millivolts % 100 else f"{millivolts / 1000:.1f} V"

    return decode


def _maker(offset: int) -> Decode:
    """A JEDEC manufacturer: bank (continuation codes, with a parity bit) and number."""

    def decode(module: Structure) -> str:
        code = module.number(offset, 2)
        return f"Bank {(code & 0x7F) + 1}, Hex 0x{code >> 8:02X}" if code else "Unknown"

    return decode


def _portion(offset: int) -> Decode:
    def decode(module: Structure) -> str:
        size = module.number(offset, 8)
        return "Unknown" if size == _UNKNOWN_SIZE else size_text(size) if size else "None"

    return decode


def _rank(module: Structure) -> str:
    return str(module.number(0x1B) & 0x0F or "Unknown")


def _range_text(mapped: Structure) -> str:
    size = _range_size(mapped)
    return size_text(size) if size else "Invalid"


_WIDTH = {0: "Unknown", 0xFFFF: "Unknown"}
_ALWAYS = (
    Rule("Array Handle", 0x15, number(0x04, 2, form="0x{:04X}")),
    Rule("Total Width", 0x15, number(0x08, 2, form="{} bits", special=_WIDTH)),
    Rule("Data Width", 0x15, number(0x0A, 2, form="{} bits", special=_WIDTH)),
    Rule("Size", 0x15, _size),
    Rule("Form Factor", 0x15, word(MEMORY_FORM, 0x0E)),
    Rule("Set", 0x15, number(0x0F, special={0: "None", 0xFF: "Unknown"})),
    *texts(0x15, "Locator|Bank Locator", 0x10),
    Rule("Type", 0x15, word(MEMORY_TYPE, 0x12)),
    Rule("Type Detail", 0x15, _flags(MEMORY_DETAIL, 0x13)),
)
_IF_PRESENT = (
    Rule("Speed", 0x17, _speed(0x15, 0x54)),
    *texts(0x1B, "Manufacturer|Serial Number|Asset Tag|Part Number", 0x17),
    Rule("Rank", 0x1C, _rank),
    Rule("Configured Memory Speed", 0x22, _speed(0x20, 0x58)),
    Rule("Minimum Voltage", 0x28, _voltage(0x22)),
    Rule("Maximum Voltage", 0x28, _voltage(0x24)),
    Rule("Configured Voltage", 0x28, _voltage(0x26)),
    Rule("Memory Technology", 0x34, word(MEMORY_TECHNOLOGY, 0x28)),
    Rule("Memory Operating Mode Capability", 0x34, _flags(MEMORY_MODE, 0x29)),
    Rule("Firmware Version", 0x34, text(0x2B)),
    Rule("Module Manufacturer ID", 0x34, _maker(0x2C)),
    Rule("Module Product ID", 0x34, number(0x2E, 2, form="0x{:04X}", special=_UNKNOWN)),
    Rule("Memory Subsystem Controller Manufacturer ID", 0x34, _maker(0x30)),
    Rule("Memory Subsystem Controller Product ID", 0x34, number(0x32, 2, form="0x{:04X}", special=_UNKNOWN)),
    Rule("Non-Volatile Size", 0x3C, _portion(0x34)),
    Rule("Volatile Size", 0x44, _portion(0x3C)),
    Rule("Cache Size", 0x4C, _portion(0x44)),
    Rule("Logical Size", 0x54, _portion(0x4C)),
)
MODULE_FIELDS = (*_ALWAYS, *(Rule(rule.label, rule.needs, _present(rule.decode)) for rule in _IF_PRESENT))
RANGE_FIELDS = (
    Rule("Range Size", 0x0F, _range_text),
    Rule("Physical Array Handle", 0x0F, number(0x0C, 2, form="0x{:04X}")),
    Rule("Partition Width", 0x0F, number(0x0E)),
)
