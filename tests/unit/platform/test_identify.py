"""Which platform, by what, and why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.dmi.tables import FakeSystem, build_structure, build_table, end_of_table
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.facts_file import names_display
from gprov.domain.platform.identify import Unit, identify
from gprov.domain.platform.model import Lcd, ModelField, Platform

BASE = default_table()[0]
OX = replace(BASE, code_name="Ox", manufacturer="Maker", product="Board", model_regex="^OX-1[0-9]$")


def table(
    manufacturer: str = "Maker",
    product: str = "Board",
    serial: str = "S1",
    sku: str = "OX-12",
    *,
    board: tuple[str, str, str] | None = None,
    chassis: tuple[str, str] = ("Box", ""),
    cpus: Sequence[str] = ("A",),
    empty_sockets: int = 0,
) -> SmbiosTable:
    raw = build_table(
        FakeSystem(
            manufacturer=manufacturer,
            product=product,
            serial=serial,
            sku=sku,
            board=board,
            chassis=chassis,
            cpus=cpus,
            empty_sockets=empty_sockets,
        )
    )
    return parse_table(raw)


def refusal(seen: SmbiosTable, *platforms: Platform, fallback: str = "") -> HardwareMismatch:
    with pytest.raises(HardwareMismatch) as caught:
        identify(seen, platforms, fallback)
    return caught.value


def test_by_base_board() -> None:
    seen = table(manufacturer="Other", product="Thing", board=("Maker", "Board", "B9"))
    assert identify(seen, [BASE, OX]) == Unit(
        platform=OX, manufacturer="Maker", product="Board", sku="OX-12", serial="S1", by_fallback=False
    )


def test_by_system_if_no_board_fits() -> None:
    seen = table(board=("Foundry", "Generic", "B9"))
    assert identify(seen, [BASE, OX]).platform is OX


def test_the_board_goes_before_the_system() -> None:
    other = replace(OX, code_name="Other", manufacturer="Foundry", product="Generic")
    assert identify(table(board=("Foundry", "Generic", "B9")), [OX, other]).platform is other


def test_blanks_around_what_firmware_tells_do_not_matter() -> None:
    seen = table(manufacturer=" Maker ", product="Board  ", serial=" S1 ", sku="OX-12 ")
    assert identify(seen, [OX]) == Unit(platform=OX, manufacturer="Maker", product="Board", sku="OX-12", serial="S1")


def test_any_of_several_boards_and_its_own_serial_number() -> None:
    by_board = replace(OX, serial_field="baseboard-serial-number")
    riser = build_structure(2, 0x201, b"\x01\x02\x00\x03", ["Foundry", "Riser", "R1"])
    raw = build_table(
        FakeSystem(manufacturer="X", product="Y", serial="S1", sku="OX-12", board=("Maker", "Board", "B9"))
    ).removesuffix(end_of_table())
    assert identify(parse_table(raw + riser + end_of_table()), [by_board]).serial == "B9"
    assert identify(parse_table(riser + raw + end_of_table()), [by_board]).serial == "B9"


def test_of_boards_that_all_fit_the_last_one_tells_the_serial_number() -> None:
    by_board = replace(OX, serial_field="baseboard-serial-number")
    second = build_structure(2, 0x201, b"\x01\x02\x00\x03", ["Maker", "Board", "B10"])
    raw = build_table(
        FakeSystem(manufacturer="X", product="Y", serial="S1", sku="OX-12", board=("Maker", "Board", "B9"))
    ).removesuffix(end_of_table())
    assert identify(parse_table(raw + second + end_of_table()), [by_board]).serial == "B10"


def test_the_model_must_match() -> None:
    error = refusal(table(sku="OX-2"), OX)
    assert "no platform matches base board 'Maker' 'Board', system 'Maker' 'Board', SKU 'OX-2'" in str(error)
    assert error.details() == ("Ox: SKU number 'OX-2' does not match '^OX-1[0-9]$'",)


def test_the_model_in_another_field() -> None:
    platform = replace(OX, model_field=ModelField(3, "Serial Number:"), model_regex="^CH")
    seen = table(sku="none of it", chassis=("Box", "CH-7"))
    assert identify(seen, [platform]).sku == "CH-7"
    error = refusal(table(chassis=("Box", "")), platform)
    assert error.details() == ("Ox: type 3 'Serial Number:' 'Not Specified' does not match '^CH'",)


def test_no_model_reads_as_dmidecode_says() -> None:
    unit = identify(table(sku=""), [replace(OX, model_regex="^Not Specified$")])
    assert unit.sku == "Not Specified"


@pytest.mark.parametrize(
    ("wanted", "cpus", "empty", "fits"),
    [
        (("A",), ("A",), 0, True),
        (("A",), ("A", "A"), 0, False),
        (("A",), ("A", "A"), 1, False),
        (("A", "A", "A"), ("A", "A"), 0, False),
        (("A",), ("A",), 1, True),
        (("A",), ("A", "B"), 0, False),
        (("A",), ("B",), 0, False),
        (("A",), (), 1, False),
        (("A", "B"), ("B", "A"), 0, True),
        (("A", "A"), ("A", "A"), 0, True),
        (("A", "A"), ("A",), 0, False),
        (("A", "Not Specified"), ("A",), 1, True),
        (("A", "Not Specified"), ("A", "A"), 0, False),
        (("A",), ("A (R) 3 GHz",), 0, False),
    ],
)
def test_processors(wanted: tuple[str, ...], cpus: tuple[str, ...], empty: int, fits: bool) -> None:
    seen, platform = table(cpus=cpus, empty_sockets=empty), replace(OX, cpu=wanted)
    if fits:
        assert identify(seen, [platform]).platform is platform
    else:
        assert f"expected {list(wanted)}" in refusal(seen, platform).details()[0]


GOLD, OLD, NONE = (
    "Intel(R) Xeon(R) Gold 5118 CPU @ 2.30GHz",
    "Intel(R) Xeon(R) CPU E5-2418L v2 @ 2.00GHz",
    "Not Specified",
)


@pytest.mark.parametrize(
    ("wanted", "cpus", "empty", "fits"),
    [
        ((GOLD, NONE), (GOLD,), 1, True),
        ((NONE, GOLD), (GOLD,), 1, True),
        ((GOLD, GOLD), (GOLD, GOLD), 0, True),
        ((OLD, NONE), (OLD,), 1, True),
        ((OLD,), (OLD,), 0, True),
        ((GOLD,), (GOLD,), 0, True),
        ((GOLD, NONE), (GOLD, GOLD), 0, False),
        ((GOLD,), (GOLD, GOLD), 0, False),
        ((OLD,), (GOLD,), 0, False),
        ((GOLD,), (OLD,), 0, False),
    ],
)
def test_processors_as_platform_tables_in_use_have_them(
    wanted: tuple[str, ...], cpus: tuple[str, ...], empty: int, fits: bool
) -> None:
    test_processors(wanted, cpus, empty, fits)


def test_processors_tell_models_apart() -> None:
    first, second = replace(OX, cpu=("A",)), replace(OX, code_name="Ox2", cpu=("B",))
    assert identify(table(cpus=("B",)), [first, second]).platform is second


@pytest.mark.parametrize(("cpus", "code_name"), [(("A",), "Ox"), (("A", "A"), "Ox2"), (("A", "A", "A"), None)])
def test_the_number_of_processors_tells_models_apart(cpus: tuple[str, ...], code_name: str | None) -> None:
    platforms = [replace(OX, cpu=("A",)), replace(OX, code_name="Ox2", cpu=("A", "A"))]
    if code_name is None:
        assert "expected ['A', 'A']" in refusal(table(cpus=cpus), *platforms).details()[1]
    else:
        assert identify(table(cpus=cpus), platforms).platform.code_name == code_name


def test_two_platforms_that_fit_are_an_error() -> None:
    error = refusal(table(), OX, replace(OX, code_name="Ox2", model_regex="12"), fallback="Ox")
    assert str(error) == "this machine matches more than one platform: Ox, Ox2"
    assert len(error.details()) == 2


def test_fallback_if_nothing_fits() -> None:
    unit = identify(table(manufacturer="?", product="?", sku=""), [BASE, OX], " Ox\n")
    assert (unit.platform, unit.by_fallback, unit.serial) == (OX, True, "S1")
    assert (unit.manufacturer, unit.product) == ("Maker", "Board")


def test_fallback_is_not_used_if_something_fits() -> None:
    unit = identify(table(), [BASE, OX], BASE.code_name)
    assert (unit.platform, unit.by_fallback) == (OX, False)


def test_platforms_with_one_code_name_are_told_apart_by_smbios_alone() -> None:
    other = replace(OX, product="Board ipmi", ipmi=True)
    assert identify(table(product="Board ipmi"), [OX, other]).platform is other
    error = refusal(table(manufacturer="?", product="?"), OX, other, fallback="Ox")
    assert str(error).startswith("the fallback 'Ox' is the DevCodeName of 2 platforms, and the firmware shows none")
    assert str(error).endswith("give the platform that you mean a DevCodeName of its own")
    assert len(error.details()) == 2


def test_an_unknown_fallback_is_an_error_that_says_so() -> None:
    error = refusal(table(sku=""), BASE, OX, fallback="Oxx")
    assert "the fallback 'Oxx' is not in the platform table (known: QEMU-mfg-test, Ox)" in str(error)
    assert len(error.details()) == 2


@pytest.mark.parametrize(
    "serial",
    [
        "",
        " ",
        "To be filled by O.E.M.",
        "Default string",
        "None",
        "0123456789",
        "NONE",
        "0",
        "000000",
        "...",
        "XXXX",
        "N/A",
        "1",
        "1234567",
        "System Serial Number",
        "Not Specified",
    ],
)
def test_a_placeholder_is_no_serial_number(serial: str) -> None:
    words = "Ox: serial number \\(system-serial-number\\) is a placeholder"
    with pytest.raises(HardwareMismatch, match=words):
        identify(table(serial=serial), [OX])
    with pytest.raises(HardwareMismatch, match=words):
        identify(table(serial=serial, sku=""), [OX], "Ox")


@pytest.mark.parametrize("serial", ["11", "10", "A0000000", "QEMU01234", "00000001"])
def test_serial_numbers_that_look_odd_but_are_fine(serial: str) -> None:
    assert identify(table(serial=serial), [OX]).serial == serial


def test_a_field_that_the_firmware_does_not_have() -> None:
    raw = build_structure(1, 0, b"\x01\x02", ["Maker", "Board"]) + end_of_table()
    platform = replace(OX, model_regex="")
    with pytest.raises(HardwareMismatch, match="no serial number: SMBIOS has no system-serial-number"):
        identify(parse_table(raw), [platform])


def test_no_platforms_at_all() -> None:
    assert "no platform matches" in str(refusal(table()))


@settings(max_examples=100)
@given(st.binary(max_size=80), st.lists(st.text(max_size=6), max_size=4))
def test_any_structures(formatted: bytes, strings: list[str]) -> None:
    structures = (build_structure(number, number, formatted, strings) for number in (1, 2, 3, 4))
    seen = parse_table(b"".join(structures) + end_of_table())
    with pytest.raises(HardwareMismatch):
        identify(seen, [OX])


def test_facts_are_the_entry_and_the_unit() -> None:
    facts = json.loads(platform_facts(identify(table(), [OX])))
    assert {key: facts[key] for key in ("Mfg", "Prod", "SKU", "Serial")} == {
        "Mfg": "Maker",
        "Prod": "Board",
        "SKU": "OX-12",
        "Serial": "S1",
    }
    assert facts["DevCodeName"] == "Ox"
    assert facts["SwRaidlevel"] == -1
    assert facts["NICInfo"] == {"SharedDiagPorts": [], "WANIndex": 0, "DefaultNamesNoDiag": ["Port 1 (WAN)"]}
    assert facts["RecoveryMedia"] == {"ValidateRDMethod": "usb", "FsType": "ext4", "SSD": True}
    assert facts["Lcd"] == "none"
    assert not {"CPU", "IPMI", "DiskSTol", "DmiPMOverrideFld", "FakeraidType"} & set(facts)


def test_a_display_that_was_found_replaces_that_of_the_table() -> None:
    prototype = Unit(
        platform=replace(OX, prototype=True, lcd=Lcd.CFA635), manufacturer="", product="", sku="", serial="S1"
    )
    final = Unit(
        platform=replace(OX, prototype=False, lcd=Lcd.CFA635), manufacturer="", product="", sku="", serial="S1"
    )
    assert json.loads(platform_facts(prototype, Lcd.CFA631))["Lcd"] == "631"
    assert json.loads(platform_facts(prototype))["Lcd"] == "635"
    assert json.loads(platform_facts(final, Lcd.CFA631))["Lcd"] == "631"


@pytest.mark.parametrize(("lcd", "named"), [(Lcd.CFA635, True), (Lcd.CFA631, True), (Lcd.NONE, False)])
def test_the_facts_name_a_display(lcd: Lcd, named: bool) -> None:
    unit = Unit(platform=replace(OX, lcd=Lcd.NONE), manufacturer="", product="", sku="", serial="S1")
    assert names_display(platform_facts(unit, lcd)) is named
    assert not names_display(b"")


# Values of the earlier Go system's tests (pkg/appliance): machines that it knew by their system, with and without a
# base board, and two models that only the processor tells apart.
CPU_MODELS = [
    replace(BASE, code_name=f"cputest{number}", manufacturer="cputest", product="cputest", cpu=(version,))
    for number, version in ((1, "someVersion"), (2, "someOtherVersion"))
]


@pytest.mark.parametrize(
    ("seen", "unit"),
    [
        (table("", "", "", "", cpus=()), None),
        (
            table("GPROV_QEMU", "mfg_test", "QEMU01234", "Not Specified", board=("", "", ""), cpus=("pc-i440fx-2.11",)),
            ("QEMU-mfg-test", "QEMU01234"),
        ),
        (
            table("GPROV_QEMU", "mfg_test", "QEMU01234", "Not Specified", board=("bm", "bpn", "bsn"), cpus=("pv",)),
            ("QEMU-mfg-test", "QEMU01234"),
        ),
        (table("cputest", "cputest", "abcd", cpus=("someVersion",)), ("cputest1", "abcd")),
        (table("cputest", "cputest", "efgh", cpus=("someOtherVersion",)), ("cputest2", "efgh")),
        (table("cputest", "cputest", "efgh", cpus=("yetAnotherVersion",)), None),
    ],
    ids=["unknown", "no board", "another board", "processor 1", "processor 2", "another processor"],
)
def test_machines_in_the_field(seen: SmbiosTable, unit: tuple[str, str] | None) -> None:
    platforms = (*default_table(), *CPU_MODELS)
    if unit is None:
        refusal(seen, *platforms)
    else:
        found = identify(seen, platforms)
        assert (found.platform.code_name, found.serial) == unit
