"""dmidecode reads the same tables: every keyword and every label must have the text that it prints."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_dump, build_structure, build_table, end_of_table
from gprov.domain.formats.smbios.dmidecode_fields import fields
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS, keywords
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table

pytestmark = pytest.mark.skipif(shutil.which("dmidecode") is None, reason="dmidecode is not installed")
# Longest formatted area that dmidecode 3.4 decodes, by type.
TYPES = {0: 0x1A, 1: 0x1B, 2: 0x12, 3: 0x1B, 4: 0x30, 11: 0x05, 12: 0x05, 17: 0x5C, 19: 0x1F, 38: 0x12, 39: 0x16}
HANDLE = re.compile(r"^Handle 0x([0-9A-F]{4}), DMI type")
LINE = re.compile(r"^\t([^\t:][^:]*):(?: (.*))?$")


def dmidecode(*arguments: str) -> str:
    done = subprocess.run(["dmidecode", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def printed_keyword(dump: Path, name: str) -> tuple[str, ...]:
    return tuple(dmidecode("--from-dump", str(dump), "-s", name).splitlines())


def printed_fields(dump: Path) -> dict[int, dict[str, str]]:
    """Handle → label → value of everything with one value."""
    found: dict[int, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in dmidecode("--from-dump", str(dump)).splitlines():
        if match := HANDLE.match(line):
            current = found.setdefault(int(match[1], 16), {})
        elif (match := LINE.match(line)) and match[2] is not None:
            current[match[1]] = match[2]
    return found


def random_structure(chance: random.Random, number: int, handle: int) -> bytes:
    length = chance.randint(0, TYPES[number] - 4) if chance.random() < 0.3 else TYPES[number] - 4
    style = chance.random()
    if style < 0.4:  # small numbers: most enumerations and string indexes are
        formatted = bytes(chance.choice((0, 1, 2, 3, 4, 5, 6, 8, 0x40, 0xFF)) for _ in range(length))
    else:
        formatted = chance.randbytes(length)
    if number == 19:
        formatted = sensible_range(chance, formatted)
    alphabet = "ABCabc 019.-:\x01\x7fé"
    texts = ["".join(chance.choices(alphabet, k=chance.randint(1, 12))) for _ in range(chance.randint(0, 8))]
    return build_structure(number, handle, formatted, texts)


def sensible_range(chance: random.Random, formatted: bytes) -> bytes:
    """A memory range that does not end before it begins; dmidecode's size of one that does is an overflow."""
    first, last = sorted((formatted[0:4], formatted[4:8]), key=lambda raw: int.from_bytes(raw, "little"))
    if len(formatted) == TYPES[19] - 4:
        start, end = sorted((formatted[11:19], formatted[19:27]), key=lambda raw: int.from_bytes(raw, "little"))
        formatted = formatted[:11] + start + end
        if chance.random() < 0.5:
            first = last = b"\xff" * 4
    return (first + last + formatted[8:])[: len(formatted)]


@pytest.fixture(params=[(2, 0), (2, 5), (2, 8), (3, 3)], ids=str)
def dumped(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, SmbiosTable]:
    chance = random.Random(str(request.param))
    numbers = [number for number in TYPES for _ in range(60)]
    structures = [random_structure(chance, number, handle) for handle, number in enumerate(numbers, 1)]
    return written(tmp_path, b"".join(structures) + end_of_table(), request.param)


def written(folder: Path, table: bytes, version: tuple[int, int]) -> tuple[Path, SmbiosTable]:
    dump = folder / "dump.bin"
    dump.write_bytes(build_dump(table, version))
    return dump, parse_table(dump.read_bytes())


def test_random_structures_have_the_fields_that_dmidecode_prints(dumped: tuple[Path, SmbiosTable]) -> None:
    dump, table = dumped
    printed = printed_fields(dump)
    assert len(printed) == len(table.structures)
    for structure in table.structures:
        ours = dict(fields(structure, table.version))
        theirs = printed[structure.handle]
        wrong = {label: (value, theirs.get(label)) for label, value in ours.items() if theirs.get(label) != value}
        assert not wrong, (structure.type, structure.formatted.hex())


LEFT_OUT = {
    # lists, flags and references that no table compares with
    2: {"Features", "Contained Object Handles"},
    3: {"Contained Elements"},
    4: {"Signature", "L1 Cache Handle", "L2 Cache Handle", "L3 Cache Handle", "Characteristics", "Flags"},
    17: {"Error Information Handle"},
    19: {"Starting Address", "Ending Address"},
    38: {"NV Storage Device", "Interrupt Polarity", "Interrupt Trigger Mode"},
    39: {"Input Voltage Probe Handle", "Cooling Device Handle", "Input Current Probe Handle"},
}


def test_no_field_is_missed_but_those_left_out_on_purpose(dumped: tuple[Path, SmbiosTable]) -> None:
    dump, table = dumped
    printed = printed_fields(dump)
    for structure in table.structures:
        missed = set(printed[structure.handle]) - set(fields(structure, table.version))
        assert missed <= LEFT_OUT.get(structure.type, set()), (structure.type, structure.formatted.hex())


@pytest.mark.parametrize("version", [(2, 0), (2, 5), (2, 6), (3, 3)])
def test_keywords_of_random_structures(version: tuple[int, int], tmp_path: Path) -> None:
    chance = random.Random(str(version))
    # A structure that ends inside a number is left out: dmidecode then reads on into the strings.
    whole = [random_structure(chance, number, number * 100 + index) for number in range(5) for index in range(40)]
    table = b"".join(one for one in whole if not ends_inside_a_number(one)) + end_of_table()
    dump, parsed = written(tmp_path, table, version)
    assert {name: printed_keyword(dump, name) for name in KEYWORDS} == dict(keywords(parsed))


def ends_inside_a_number(structure: bytes) -> bool:
    number, length = structure[0], structure[1]
    return (number == 1 and 0x08 < length < 0x18) or (number == 4 and length in (0x17, 0x29))


def test_every_processor_family(tmp_path: Path) -> None:
    def processor(index: int, short: int, extended: int, maker: str) -> bytes:
        formatted = bytearray(0x2A - 4)
        formatted[0x06 - 4], formatted[0x07 - 4] = short, 1
        formatted[0x28 - 4 : 0x2A - 4] = extended.to_bytes(2, "little")
        return build_structure(4, index, bytes(formatted), [maker])

    numbers = [(short, 0) for short in range(256)] + [(0xFE, extended) for extended in range(0x204)]
    makers = ("Intel", "AMD", "genuineintel", "x")
    structures = [
        processor(index, *number, makers[index % 4]) for index, number in enumerate([*numbers, *[(0xBE, 0)] * 4])
    ]
    dump, table = written(tmp_path, b"".join(structures) + end_of_table(), (3, 3))
    assert printed_keyword(dump, "processor-family") == keywords(table)["processor-family"]


@pytest.mark.parametrize("sku", ["", "A-1"])
def test_tables_of_simulated_machines_are_sound(sku: str, tmp_path: Path) -> None:
    modules: Sequence[int] = (1 << 30, 0, 96 << 30)
    dump, table = written(
        tmp_path, build_table(FakeSystem(sku=sku, cpus=("X", "Y"), empty_sockets=1, modules=modules)), (3, 3)
    )
    output = dmidecode("--from-dump", str(dump))
    assert "TRUNCATED" not in output
    assert "BAD INDEX" not in output
    assert "OUT OF SPEC" not in output
    assert output.count("End Of Table") == 1
    assert {name: printed_keyword(dump, name) for name in KEYWORDS} == dict(keywords(table))
