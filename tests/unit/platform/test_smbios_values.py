"""Keywords, labels and sizes. That the words are dmidecode's is checked against dmidecode itself (tests/integ)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_dump, build_structure, build_table, end_of_table
from gprov.domain.formats.smbios.dmidecode_fields import field, fields, known_label
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS, keyword, keywords
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.rules import size_text
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table

QEMU = parse_table((Path(__file__).parent / "data/qemu-pc-7.2.bin").read_bytes())
UUID = bytes(range(16))
GIB = 1 << 30


def one(number: int, formatted: bytes, *strings: str) -> SmbiosTable:
    return parse_table(build_structure(number, 7, formatted, strings) + end_of_table())


def test_keywords_of_a_firmware() -> None:
    told = keywords(QEMU)
    assert told["bios-vendor"] == ("SeaBIOS",)
    assert told["bios-revision"] == ("0.0",)
    assert told["firmware-revision"] == ()
    assert told["system-serial-number"] == ("QEMU01234",)
    assert told["system-uuid"] == ("00112233-4455-6677-8899-aabbccddeeff",)
    assert told["system-sku-number"] == ("Not Specified",)
    assert told["baseboard-product-name"] == ("mfg_test_ipmi",)
    assert told["chassis-type"] == ("Other",)
    assert told["processor-version"] == ("pc-i440fx-7.2", "pc-i440fx-7.2")
    assert told["processor-frequency"] == ("2000 MHz", "2000 MHz")
    assert tuple(told) == KEYWORDS


@pytest.mark.parametrize(
    ("version", "text"),
    [((2, 5), "00010203-0405-0607-0809-0a0b0c0d0e0f"), ((2, 6), "03020100-0504-0706-0809-0a0b0c0d0e0f")],
)
def test_byte_order_of_the_uuid_depends_on_the_version(version: tuple[int, int], text: str) -> None:
    table = parse_table(build_dump(build_table(FakeSystem(uuid=UUID)), version))
    assert keyword(table, "system-uuid") == (text,)
    assert field(table, 1, "UUID") == text


def test_a_raw_table_counts_as_recent() -> None:
    assert keyword(parse_table(build_table(FakeSystem(uuid=UUID))), "system-uuid") == (
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
    )


def test_uuids_that_are_none() -> None:
    assert keyword(parse_table(build_table(FakeSystem(uuid=bytes(16)))), "system-uuid") == ("Not Settable",)
    assert keyword(parse_table(build_table(FakeSystem(uuid=b"\xff" * 16))), "system-uuid") == ("Not Present",)


def test_a_structure_that_is_too_short_does_not_tell() -> None:
    table = one(1, b"\x01\x01\x01\x01", "x")
    assert keyword(table, "system-serial-number") == ("x",)
    assert keyword(table, "system-uuid") == ()
    assert keyword(table, "system-family") == ()
    assert field(table, 1, "Family") is None


def test_labels_with_and_without_colon() -> None:
    assert field(QEMU, 2, "Serial Number") == "BOARD7"
    assert field(QEMU, 2, "Serial Number:") == "BOARD7"
    assert field(QEMU, 1, "SKU Number:") == "Not Specified"
    assert field(QEMU, 1, "SKU") is None
    assert field(QEMU, 200, "Anything") is None


def test_a_structure_is_picked_by_its_index() -> None:
    table = parse_table(build_table(FakeSystem(modules=(GIB, 0, 64 * GIB))))
    assert [field(table, 17, "Size", index) for index in (0, 1, 2, 3, -1)] == [
        "1 GB",
        "No Module Installed",
        "64 GB",
        None,
        None,
    ]
    assert field(table, 17, "Speed", 0) == "2400 MT/s"
    assert field(table, 17, "Speed", 1) is None


def test_numbered_strings() -> None:
    table = one(11, b"\x03", "first", "second")
    assert dict(fields(table.structures[0], table.version)) == {
        "String 1": "first",
        "String 2": "second",
        "String 3": "<BAD INDEX>",
    }
    assert field(one(12, b"\x01", "jumper"), 12, "Option 1") == "jumper"
    assert fields(one(11, b"").structures[0], (3, 0)) == {}


@pytest.mark.parametrize(
    ("number", "label", "known"),
    [
        (1, "SKU Number", True),
        (1, "SKU Number:", True),
        (1, "SKU", False),
        (1, "UUID", True),
        (4, "Family", True),
        (11, "String 1", True),
        (11, "String 0", False),
        (11, "String 256", False),
        (11, "String x", False),
        (11, "String ²", False),
        (5, "Anything", False),
    ],
)
def test_known_labels(number: int, label: str, known: bool) -> None:
    assert known_label(number, label) is known


@pytest.mark.parametrize(
    ("size", "unit", "text"),
    [
        (0, 0, "0 bytes"),
        (1023, 0, "1023 bytes"),
        (1024, 0, "1 kB"),
        (1536, 0, "1536 bytes"),
        (5 << 20, 0, "5 MB"),
        ((1 << 30) + (1 << 20), 0, "1025 MB"),
        (16 << 10, 1, "16 MB"),
        ((1 << 64) - 1, 0, "16383 PB"),
    ],
)
def test_sizes_in_words(size: int, unit: int, text: str) -> None:
    assert size_text(size, unit) == text


def test_installed_memory_is_the_sum_of_the_modules() -> None:
    assert installed_memory(parse_table(build_table(FakeSystem(modules=(8 * GIB, 0, 64 * GIB))))) == 72 * GIB
    assert installed_memory(QEMU) == 384 << 20


def test_modules_in_kibibytes_and_of_unknown_size() -> None:
    def module(code: int) -> bytes:
        return build_structure(17, code, struct.pack("<HHHHHBBBBBH", 0, 0, 8, 8, code, 1, 0, 0, 0, 1, 0))

    table = parse_table(module(0x8200) + module(0xFFFF) + module(0) + end_of_table())
    assert installed_memory(table) == 512 * 1024


def test_mapped_ranges_tell_if_no_module_does() -> None:
    def mapped(first: int, last: int, *wide: int) -> bytes:
        formatted = struct.pack("<IIHB", first, last, 0, 1) + b"".join(value.to_bytes(8, "little") for value in wide)
        return build_structure(19, 0, formatted)

    low, high = mapped(0, (2 * GIB >> 10) - 1), mapped(0xFFFFFFFF, 0xFFFFFFFF, 4 * GIB, 6 * GIB - 1)
    assert installed_memory(parse_table(low + high + end_of_table())) == 4 * GIB
    assert installed_memory(parse_table(mapped(10, 5) + end_of_table())) == 0
    assert installed_memory(parse_table(end_of_table())) == 0
