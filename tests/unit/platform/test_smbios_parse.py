"""SMBIOS tables: structures out of bytes, and nothing but BadInput out of damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.dmi.tables import build_dump, build_structure, build_table, end_of_table
from gprov.domain.errors import BadInput
from gprov.domain.formats.smbios.dmidecode_fields import fields
from gprov.domain.formats.smbios.dmidecode_keywords import keywords
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table

QEMU = (Path(__file__).parent / "data/qemu-pc-7.2.bin").read_bytes()  # made by SeaBIOS 1.16.2


def damage(table: SmbiosTable) -> str:
    return "; ".join(str(problem) for problem in table.problems)


def test_header_strings_and_offsets() -> None:
    table = parse_table(build_structure(1, 0x1234, b"\x02\x01\xaa", ["one", "two"]) + end_of_table())
    structure = table.structures[0]
    assert (structure.type, structure.handle, structure.length) == (1, 0x1234, 7)
    assert structure.formatted == b"\x01\x07\x34\x12\x02\x01\xaa"
    assert structure.strings == ("one", "two")
    assert structure.text(4) == "two"
    assert structure.number(5, 2) == 0xAA01
    assert table.problems == ()


def test_strings_that_are_not_there() -> None:
    structure = parse_table(build_structure(1, 0, b"\x00\x03\xff", ["one"]) + end_of_table()).structures[0]
    assert [structure.text(offset) for offset in (4, 5, 6)] == ["Not Specified", "<BAD INDEX>", "<BAD INDEX>"]
    assert structure.text(200) == "Not Specified"
    assert structure.number(6, 4) == 0xFF


def test_unprintable_characters_become_dots() -> None:
    raw = b"\x01\x05\x00\x00\x01" + b"a\x01\x7f\xe9b\0\0" + end_of_table()
    assert parse_table(raw).structures[0].strings == ("a...b",)


def test_a_structure_of_a_firmware() -> None:
    table = parse_table(QEMU)
    assert table.version == (2, 8)
    assert [structure.type for structure in table.structures] == [0, 1, 2, 3, 4, 4, 16, 17, 19, 32, 127]
    assert table.structures[2].strings == ("GPROV_QEMU", "mfg_test_ipmi", "pc-i440fx-7.2", "BOARD7")
    assert table.problems == ()


def test_garbage_behind_the_end_of_the_table_is_ignored() -> None:
    raw = build_table()
    assert parse_table(raw + b"\x01\x02\xff" * 50) == parse_table(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no end-of-table structure"),
        (b"\x01\x05", "ends inside a structure"),
        (b"\x01\x08\x00\x00\x01", "ends inside a structure"),
        (b"\x01\x03\x00\x00\x00\x00\x00", "length 3 is less than"),
        (b"\x01\x00\x00\x00\x00\x00\x00", "length 0 is less than"),
        (b"\x01\x05\x00\x00\x01one\x00", "strings of this structure do not end"),
    ],
)
def test_damage_at_the_start_is_an_error(raw: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        parse_table(raw, "firmware.bin")
    assert str(caught.value).startswith("firmware.bin: offset 0: ")


def test_what_stands_before_the_damage_is_kept() -> None:
    whole = parse_table(build_table())
    cut = parse_table(build_table()[:-8])
    assert cut.structures == whole.structures[:-2]
    assert "ends inside a structure" in damage(cut) or "do not end" in damage(cut)


def test_a_table_that_just_ends_is_noted() -> None:
    cut = parse_table(build_table()[:-6])
    assert cut.structures == parse_table(build_table()).structures[:-1]
    assert "no end-of-table structure" in damage(cut)


def test_dumps() -> None:
    raw = build_table()
    assert parse_table(build_dump(raw, (3, 1))).version == (3, 1)
    assert parse_table(build_dump(raw)).structures == parse_table(raw).structures


@pytest.mark.parametrize("size", range(0, 32, 3))
def test_a_dump_that_ends_inside_its_entry_point(size: int) -> None:
    for dump in (QEMU, build_dump(build_table())):
        with pytest.raises(BadInput):
            parse_table(dump[:size])


def test_a_dump_whose_entry_point_was_changed() -> None:
    for dump in (QEMU, build_dump(build_table())):
        changed = bytearray(dump)
        changed[8] ^= 1
        with pytest.raises(BadInput, match="checksum"):
            parse_table(bytes(changed))


def test_a_dump_whose_table_is_elsewhere() -> None:
    moved = bytearray(build_dump(build_table()))
    moved[0x11] ^= 0x80  # of the address
    moved[5] = (moved[5] - sum(moved[:24])) & 0xFF
    with pytest.raises(BadInput, match="not in the file"):
        parse_table(bytes(moved))


def test_a_dump_that_is_shorter_than_its_entry_point_says() -> None:
    cut = parse_table(QEMU[:-20])
    assert "the table should have 509 bytes, the file has 489" in damage(cut)
    assert cut.structures == parse_table(QEMU).structures[: len(cut.structures)]


def test_versions_that_are_known_to_mean_others() -> None:
    assert parse_table(build_dump(build_table(), (2, 31))).version == (2, 3)


def survives(raw: bytes) -> None:
    try:
        table = parse_table(raw)
    except BadInput:
        return
    assert table.structures
    assert keywords(table)
    assert installed_memory(table) >= 0
    for structure in table.structures:
        assert all(isinstance(value, str) for value in fields(structure, table.version).values())


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    survives(raw)
    survives(b"_SM3_" + raw)
    survives(b"_SM_" + raw)


@settings(max_examples=200)
@given(st.data())
def test_mutated_tables(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from((QEMU, QEMU[32:], build_table(), build_dump(build_table())))))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 126),
            st.integers(0, 0xFFFF),
            st.binary(max_size=60),
            st.lists(
                st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1), max_size=5
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_built_is_read(parts: list[tuple[int, int, bytes, list[str]]]) -> None:
    raw = b"".join(build_structure(*part) for part in parts) + end_of_table()
    read = [
        (structure.type, structure.handle, structure.formatted[4:], list(structure.strings))
        for structure in parse_table(raw).structures
    ]
    assert read == [*parts, (127, 0xFEFF, b"", [])]
