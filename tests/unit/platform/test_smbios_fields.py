"""Fields that need more than a lookup. The same texts come out of dmidecode (tests/integ compares at random)."""

from __future__ import annotations

import struct

import pytest

from gprov.adapters.fake.dmi.tables import build_structure, end_of_table
from gprov.domain.formats.smbios.dmidecode_fields import fields
from gprov.domain.formats.smbios.processors import processor_family
from gprov.domain.formats.smbios.table import Structure, parse_table


def structure(number: int, formatted: bytes, *strings: str) -> Structure:
    return parse_table(build_structure(number, 1, formatted, strings) + end_of_table()).structures[0]


def told(number: int, formatted: bytes, *strings: str) -> dict[str, str]:
    return dict(fields(structure(number, formatted, *strings), (3, 3)))


def test_bios_of_a_legacy_machine() -> None:
    formatted = struct.pack("<BBHBBQBBBBBB", 1, 2, 0xE800, 3, 0x3F, 0x08, 0, 0, 4, 6, 1, 0xFF)
    assert told(0, formatted, "V", "1.2", "01/02/2020") == {
        "Vendor": "V",
        "Version": "1.2",
        "Release Date": "01/02/2020",
        "Address": "0xE8000",
        "Runtime Size": "96 kB",
        "ROM Size": "4 MB",
        "BIOS Revision": "4.6",
    }


@pytest.mark.parametrize(
    ("extended", "text"), [(16, "16 MB"), (0x4002, "2 GB"), (0x8001, "1 <OUT OF SPEC>"), (0xC001, "1 <OUT OF SPEC>")]
)
def test_large_bios(extended: int, text: str) -> None:
    formatted = struct.pack("<BBHBBQBBBBBBH", 0, 0, 0xFFFF, 0, 0xFF, 0x08, 0, 0, 0xFF, 0, 0, 0, extended)
    found = told(0, formatted)
    assert found["ROM Size"] == text
    assert found["Runtime Size"] == "16 bytes"
    assert found["Firmware Revision"] == "0.0"
    assert "BIOS Revision" not in found


def test_sku_of_a_chassis_stands_behind_its_contained_elements() -> None:
    head = struct.pack("<BBBBBBBBBIBB", 1, 0x91, 0, 0, 0, 3, 3, 3, 3, 0xABC, 2, 0)
    found = told(3, head + bytes([2, 3]) + b"\x09" * 6 + b"\x02", "Maker", "SKU-9")
    assert found["SKU Number"] == "SKU-9"
    assert (found["Type"], found["Lock"]) == ("Main Server Chassis", "Present")
    assert (found["Height"], found["Number Of Power Cords"]) == ("2 U", "Unspecified")
    assert found["OEM Information"] == "0x00000ABC"
    assert "SKU Number" not in told(3, head + bytes([2, 3]) + b"\x09" * 6, "Maker")


def processor(
    *, voltage: int = 0, status: int = 0x41, cores: int = 4, more_cores: int = 0, family: int = 0xB3
) -> bytes:
    head = struct.pack("<BBBBQB", 1, 3, family, 2, 0x178BFBFF00000F61, 3)
    rest = struct.pack("<BHHHBBHHHBBB", voltage, 100, 3000, 0, status, 6, 0xFFFF, 0xFFFF, 0xFFFF, 0, 0, 0)
    return head + rest + struct.pack("<BBBHHHHH", cores, 0, 8, 4, 0x100, more_cores, 0, 0)


def test_processor() -> None:
    found = told(4, processor(), "Socket 0", "Intel", "Xeon Gold")
    assert found["Family"] == "Xeon"
    assert found["Type"] == "Central Processor"
    assert found["ID"] == "61 0F 00 00 FF FB 8B 17"
    assert (found["External Clock"], found["Max Speed"], found["Current Speed"]) == ("100 MHz", "3000 MHz", "Unknown")
    assert found["Status"] == "Populated, Enabled"
    assert found["Upgrade"] == "None"
    assert (found["Core Count"], found["Thread Count"]) == ("4", "8")
    assert "Core Enabled" not in found


@pytest.mark.parametrize(
    ("code", "text"), [(0, "Unknown"), (1, "5.0 V"), (6, "3.3 V 2.9 V"), (0x8C, "1.2 V"), (0x80, "0.0 V")]
)
def test_voltage_of_a_processor(code: int, text: str) -> None:
    assert told(4, processor(voltage=code))["Voltage"] == text


def test_many_cores() -> None:
    assert told(4, processor(cores=0xFF, more_cores=512))["Core Count"] == "512"


def test_empty_socket() -> None:
    assert told(4, processor(status=0))["Status"] == "Unpopulated"


@pytest.mark.parametrize(
    ("maker", "version", "family", "text"),
    [
        ("Intel(R) Corporation", (3, 3), 0xBE, "Core 2"),
        ("AMD", (3, 3), 0xBE, "K7"),
        ("Other", (3, 3), 0xBE, "Core 2 or K7"),
        ("Intel", (2, 0), 0x30, "Pentium Pro"),
        ("Intel", (2, 3), 0x30, "Alpha"),
        ("Intel", (3, 3), 0xFE, "ARMv7"),
        ("Intel", (3, 3), 0x00, "<OUT OF SPEC>"),
    ],
)
def test_family(maker: str, version: tuple[int, int], family: int, text: str) -> None:
    assert processor_family(structure(4, processor(family=family), "Socket", maker), version) == text


def module(size: int, extended: int = 0, *, speed: int = 0xFFFF, width: int = 72) -> bytes:
    head = struct.pack("<HHHHHBBBBBH", 0x10, 0xFFFE, width, 64, size, 9, 0xFF, 1, 2, 0x1A, 0x2080)
    middle = struct.pack("<HBBBBBIHHHH", speed, 3, 4, 0, 5, 2, extended, 2933, 1140, 1200, 0)
    late = struct.pack("<BHBHHHHQQQQII", 4, 0x18, 0, 0xCE80, 0x1234, 0, 0, (1 << 64) - 1, 0, 1 << 34, 3 << 20, 4800, 0)
    return head + middle + late


def test_memory_module() -> None:
    assert told(17, module(0x7FFF, 96 << 10), "A1", "Bank 0", "Maker", "S7", "Part-1") == {
        "Array Handle": "0x0010",
        "Total Width": "72 bits",
        "Data Width": "64 bits",
        "Size": "96 GB",
        "Form Factor": "DIMM",
        "Set": "Unknown",
        "Locator": "A1",
        "Bank Locator": "Bank 0",
        "Type": "DDR4",
        "Type Detail": "Synchronous Registered (Buffered)",
        "Speed": "4800 MT/s",
        "Manufacturer": "Maker",
        "Serial Number": "S7",
        "Asset Tag": "Not Specified",
        "Part Number": "Part-1",
        "Rank": "2",
        "Configured Memory Speed": "2933 MT/s",
        "Minimum Voltage": "1.14 V",
        "Maximum Voltage": "1.2 V",
        "Configured Voltage": "Unknown",
        "Memory Technology": "NVDIMM-N",
        "Memory Operating Mode Capability": "Volatile memory Byte-accessible persistent memory",
        "Firmware Version": "Not Specified",
        "Module Manufacturer ID": "Bank 1, Hex 0xCE",
        "Module Product ID": "0x1234",
        "Memory Subsystem Controller Manufacturer ID": "Unknown",
        "Memory Subsystem Controller Product ID": "Unknown",
        "Non-Volatile Size": "Unknown",
        "Volatile Size": "None",
        "Cache Size": "16 GB",
        "Logical Size": "3 MB",
    }


@pytest.mark.parametrize(
    ("size", "extended", "text"),
    [
        (0, 0, "No Module Installed"),
        (0xFFFF, 0, "Unknown"),
        (0x8200, 0, "512 kB"),
        (512, 0, "512 MB"),
        (16384, 0, "16 GB"),
        (0x7FFF, 0x801, "2049 MB"),
        (0x7FFF, 2 << 20, "2 TB"),
    ],
)
def test_size_of_a_module(size: int, extended: int, text: str) -> None:
    assert told(17, module(size, extended))["Size"] == text


def test_mapped_range() -> None:
    formatted = struct.pack("<IIHB", 0, (1 << 20) - 1, 0x1000, 2)
    expected = {"Range Size": "1 GB", "Physical Array Handle": "0x1000", "Partition Width": "2"}
    assert told(19, formatted) == expected


def test_management_controller() -> None:
    formatted = struct.pack("<BBBBQBB", 1, 0x20, 0x20, 0xFF, 0xCA3, 0x90, 7)
    assert told(38, formatted) == {
        "Interface Type": "KCS (Keyboard Control Style)",
        "Specification Version": "2.0",
        "I2C Slave Address": "0x10",
        "Base Address": "0x0000000000000CA3 (I/O)",
        "Register Spacing": "16-byte Boundaries",
        "Interrupt Number": "7",
    }
    over_smbus = told(38, struct.pack("<BBBBQBB", 4, 0x20, 0x20, 3, 0x42, 0, 0))
    assert over_smbus["Base Address"] == "0x21 (SMBus)"
    assert over_smbus["NV Storage Device Address"] == "3"
    assert not {"Register Spacing", "Interrupt Number"} & set(over_smbus)


def test_power_supply() -> None:
    formatted = struct.pack("<BBBBBBBBHH", 1, 1, 2, 0, 0, 0, 0, 0, 750, 0b00_0100_011_0100_0_1_1)
    assert told(39, formatted, "Bay 1", "PSU") == {
        "Power Unit Group": "1",
        "Location": "Bay 1",
        "Name": "PSU",
        "Manufacturer": "Not Specified",
        "Serial Number": "Not Specified",
        "Asset Tag": "Not Specified",
        "Model Part Number": "Not Specified",
        "Revision": "Not Specified",
        "Max Power Capacity": "750 W",
        "Status": "Present, OK",
        "Type": "Switching",
        "Input Voltage Range Switching": "Auto-switch",
        "Plugged": "Yes",
        "Hot Replaceable": "Yes",
    }
    absent = told(39, struct.pack("<BBBBBBBBHH", 0, 0, 0, 0, 0, 0, 0, 0, 0x8000, 4))
    assert (absent["Max Power Capacity"], absent["Status"], absent["Plugged"]) == ("Unknown", "Not Present", "No")
    assert "Power Unit Group" not in absent
