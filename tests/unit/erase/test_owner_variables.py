"""Which firmware variables an erase removes, that they are gone, and what is stated about those that stay."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.linux.firmware.efivars import EfivarsFirmware
from gprov.apps.unit.execution.erase.variable_removal import VariableRemoval
from gprov.domain.boot.entries import DeleteVariable, SetVariable
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.erase.owner_variables import plan_removals
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.variable_choice import VariableChoice, parse_choice
from gprov.domain.formats.efi.boot_variables import NV_BS_RT, serialise_numbers
from gprov.domain.formats.efi.device_nodes import (
    DevicePath,
    FilePath,
    HardDrive,
    Mac,
    Pci,
    Sata,
    SignatureKind,
    Unknown,
    gpt_partition,
)
from gprov.domain.formats.efi.load_option import LoadOption, serialise_load_option
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName

GONE = "11111111-2222-3333-4444-555555555555"
HERE = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CRASH = "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
VENDOR = "12345678-1234-1234-1234-123456789abc"
BRANDING = Branding()
OWN = (BRANDING.normal_entry, BRANDING.restore_entry, BRANDING.erase_entry)
UBUNTU = FilePath(r"\EFI\ubuntu\shimx64.efi")
MBR = HardDrive(
    number=1,
    start=1,
    size=2,
    signature=bytes.fromhex("78563412") + bytes(12),
    table=1,
    signature_kind=SignatureKind.MBR,
)


def on(guid: str, file: FilePath = UBUNTU) -> DevicePath:
    return (gpt_partition(1, 2048, 4096, guid), file)


def entry(description: str, path: DevicePath, data: bytes = b"") -> Variable:
    return Variable(NV_BS_RT, serialise_load_option(LoadOption(description, path, data)))


def numbers(*values: int) -> Variable:
    return Variable(NV_BS_RT, serialise_numbers(values))


STAY = {
    "Boot0000": entry(BRANDING.normal_entry, on(GONE)),
    "Boot0080": entry(BRANDING.erase_entry, on(HERE)),
    "Boot0003": entry("UEFI QEMU HARDDISK", (Pci(1, 1), Sata(0, 0xFFFF, 0))),
    "Boot0004": entry("UEFI PXEv4", (Mac(bytes(32), 1),)),
    "Boot0005": entry("EFI Internal Shell", (Unknown(4, 7, bytes(16)), Unknown(4, 6, bytes(16)))),
    "Boot0006": entry("UEFI OS", on(GONE, FilePath("/efi/boot/bootx64.efi"))),
    "Boot0007": entry("Diagnostics", on(HERE)),
    "Boot0008": Variable(NV_BS_RT, b"damaged"),
    "Boot0009": entry("started from", on(GONE)),
    "Boot000A": entry("a drive without a file", (gpt_partition(1, 1, 1, GONE),)),
    "BootCurrent": Variable(6, b"\x09\0"),
    "PK": Variable(0x27, b"key"),
    "SetupMode": Variable(6, b"\0"),
    "Timeout": Variable(7, b"\5\0"),
    "ConIn": Variable(7, b"console"),
}
REMOVED = {
    "Boot0001": entry("ubuntu", on(GONE), b"quiet user=alice"),
    "Boot0002": entry("Windows Boot Manager", (MBR, FilePath(r"\EFI\Microsoft\Boot\bootmgfw.efi"))),
}
OTHERS_STAY = {
    VariableName("db", SECURITY): Variable(0x27, b"keys"),
    VariableName("MokNew", SHIM): Variable(7, b"a key"),
    VariableName("Setup", VENDOR): Variable(7, b"settings"),
    VariableName("LoaderInfo", LOADER): Variable(6, b"volatile"),
}
OTHERS_REMOVED = {
    VariableName("dump-type0-1-1-1700000000-C", CRASH): Variable(7, b"user alice logged in"),
    VariableName("LoaderEntryLastBooted", LOADER): Variable(7, b"ubuntu"),
    VariableName("LoaderRandomSeed", LOADER): Variable(7, b"seed"),
}


def machine() -> SimulatedMachine:
    one = SimulatedMachine()
    for name, variable in {**STAY, **REMOVED}.items():
        one.nvram[VariableName(name)] = variable
    one.nvram[VariableName("BootOrder")] = numbers(1, 0, 2, 3)
    one.nvram[VariableName("BootNext")] = numbers(2)
    one.nvram.update(OTHERS_STAY | OTHERS_REMOVED)
    return one


def remove(
    one: SimulatedMachine, *choices: VariableChoice, before: tuple[VariableName, ...] = ()
) -> list[OptionResult]:
    firmware = FakeFirmware(one)
    return list(VariableRemoval(firmware, firmware, OWN).run(choices, [HERE.upper()], before, lambda _: None))


def test_what_earlier_systems_left_is_removed_and_all_else_stays() -> None:
    one = machine()
    results = remove(one)
    left = {name.name for name in one.nvram if name.vendor == EFI_GLOBAL}
    assert left == {*STAY, "BootOrder"}
    assert one.nvram[VariableName("BootOrder")] == numbers(0, 3)
    assert {name for name in one.nvram if name.vendor != EFI_GLOBAL} == set(OTHERS_STAY)
    assert [one.status for one in results] == [OptionStatus.DONE] * 6
    assert results[0].detail.startswith("5 removed")
    texts = " ".join(result.detail for result in results)
    for name in (*REMOVED, *(name.name for name in OTHERS_REMOVED)):
        assert f"{name}-" in texts
    # The data of an entry can be a kernel command line.
    assert "alice" not in texts
    again = remove(one)
    assert [result.status for result in again] == [OptionStatus.NOT_PRESENT]


def test_what_is_named_is_removed_too() -> None:
    one = machine()
    remove(one, parse_choice(f"MokNew-{SHIM}"), parse_choice(VENDOR))
    names = {name.name for name in one.nvram}
    assert not {"MokNew", "Setup"} & names
    assert {"db", "PK"} <= names


@pytest.mark.parametrize("text", [EFI_GLOBAL, f"PK-{EFI_GLOBAL}", f"db-{SECURITY.upper()}"])
def test_variables_of_the_firmware_itself_cannot_be_named(text: str) -> None:
    with pytest.raises(ValueError, match="are not removed: "):
        parse_choice(text)


@pytest.mark.parametrize("text", ["", "x", f"-{VENDOR}", f"a{VENDOR}", f"{VENDOR}-a", VENDOR[:-1]])
def test_what_is_no_name_of_a_variable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither GUID nor NAME-GUID"):
        parse_choice(text)


@given(st.text(st.characters(exclude_characters="/\0"), max_size=20))
def test_choices_are_read_as_they_were_written(name: str) -> None:
    choice = VariableChoice(VENDOR, name)
    assert parse_choice(choice.text()) == choice
    assert choice.covers(VariableName(name or "any", VENDOR))
    assert choice.covers(VariableName("other", VENDOR)) is (name in ("", "other"))


def test_without_uuids_of_all_partitions_boot_entries_stay() -> None:
    one = machine()
    firmware = FakeFirmware(one)
    results = VariableRemoval(firmware, firmware, OWN).run((), [HERE, ""], (), lambda _: None)
    assert {VariableName(name) for name in REMOVED} <= set(one.nvram)
    assert set(OTHERS_REMOVED).isdisjoint(one.nvram)
    assert "all boot entries stay" in results[0].detail


def test_a_variable_that_cannot_be_removed_is_stated() -> None:
    one = machine()
    one.faults.append(Fault(kind=FaultKind.IO_ERROR, where="nvram delete Boot0001"))
    results = remove(one)
    assert (results[0].status, results[0].detail[:6]) == (OptionStatus.FAILED, "1 of 5")
    [failed] = [result for result in results[1:] if result.status is OptionStatus.FAILED]
    assert "Boot0001" in failed.detail
    assert VariableName("Boot0001") in one.nvram


def test_a_firmware_that_keeps_a_variable_without_an_error_is_noticed() -> None:
    class Keeps(FakeFirmware):
        @override
        def delete(self, name: VariableName) -> None:
            if name.name != "Boot0001":
                super().delete(name)

    firmware = Keeps(machine())
    results = VariableRemoval(firmware, firmware, OWN).run((), [HERE], (), lambda _: None)
    [failed] = [result for result in results[1:] if result.status is OptionStatus.FAILED]
    assert "Boot0001" in failed.detail
    assert "keeps it" in failed.detail


def test_what_was_removed_before_a_restart_is_in_the_results() -> None:
    one = machine()
    earlier = VariableName("dump-type0-2-1-1700000000-C", CRASH)
    planned: list[tuple[VariableName, ...]] = []
    firmware = FakeFirmware(one)
    results = VariableRemoval(firmware, firmware, OWN).run((), [HERE], (earlier,), planned.append)
    assert results[0].detail.startswith("6 removed")
    assert any(earlier.name in result.detail and "before a restart" in result.detail for result in results)
    [names] = planned
    assert set(names) == {earlier, *OTHERS_REMOVED, *map(VariableName, REMOVED)}


def test_a_bios_has_none() -> None:
    [result] = remove(SimulatedMachine(firmware=FirmwareKind.BIOS))
    assert result.status is OptionStatus.NOT_PRESENT
    assert "not applicable" in result.detail


def test_files_of_efivarfs_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "efivars"
    folder.mkdir()
    for name, variable in machine().nvram.items():
        data = struct.pack("<I", variable.attributes) + variable.data
        (folder / f"{name.name}-{name.vendor}").write_bytes(data)
    firmware = EfivarsFirmware(str(tmp_path))
    results = VariableRemoval(firmware, firmware, OWN).run((), [HERE], (), lambda _: None)
    assert results[0].status is OptionStatus.DONE
    assert {file.name.removesuffix(f"-{EFI_GLOBAL}") for file in folder.glob(f"*-{EFI_GLOBAL}")} == {*STAY, "BootOrder"}
    assert list(folder.glob(f"*-{CRASH}")) == []


ANY = [*REMOVED.values(), *(variable for name, variable in STAY.items() if name != "Boot0009")]


@given(st.dictionaries(st.integers(0, 9), st.sampled_from(ANY), max_size=8), st.data())
def test_no_list_names_a_removed_entry_and_the_order_of_the_others_stays(
    entries: dict[int, Variable], data: st.DataObject
) -> None:
    order = data.draw(st.lists(st.integers(0, 9), unique=True))
    following = data.draw(st.integers(0, 9))
    variables = {VariableName(f"Boot{number:04X}"): variable for number, variable in entries.items()}
    variables |= {VariableName("BootOrder"): numbers(*order), VariableName("BootNext"): numbers(following)}
    plan = plan_removals(variables, (), OWN, [HERE])
    removed = {int(removal.name.name[4:], 16) for removal in plan.removals}
    assert removed == {number for number, variable in entries.items() if variable in REMOVED.values()}
    expected = [number for number in order if number not in removed]
    written = {change.name: change for change in plan.lists}
    found = written.get("BootOrder")
    if isinstance(found, SetVariable):
        assert found.variable == numbers(*expected)
    else:
        assert (found is None) == (expected == order)
        assert found is None or expected == []
    assert (written.get("BootNext") == DeleteVariable("BootNext")) == (following in removed)
