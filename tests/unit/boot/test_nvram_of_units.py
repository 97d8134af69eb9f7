"""NVRAM of virtual machines and of a unit: values of the earlier Go system's tests (pkg/hw/uefi)."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.firmware.firmware import apply_changes
from gprov.domain.boot.entries import EspLocation, SetVariable, planned_entries, reconcile, started_by_fallback
from gprov.domain.branding import Branding
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, BOOT_ORDER, NV_BS_RT, entry_name, numbers_in
from gprov.domain.formats.efi.device_nodes import (
    Acpi,
    FilePath,
    HardDrive,
    Mac,
    Pci,
    SignatureKind,
    Unknown,
    is_network_path,
)
from gprov.domain.formats.efi.load_option import decode_arguments, parse_load_option, serialise_load_option
from gprov.domain.formats.efi.variables import Variable

EDK2 = bytes.fromhex("4eac0881119f594d850ee21a522c59b2")  # optional data of entries that EDK II generated
MACHINE = {
    0: "090100002c0055006900410070007000000004071400c9bdb87cebf8344faaea3ee4af6516a10406140021aa2c4614760345836e8ab6"
    "f46623317fff0400",
    1: "0100000022005500450046004900200046006c006f00700070007900000002010c00d041030a0000000001010600000102010c00d041"
    "0406000000007fff04004eac0881119f594d850ee21a522c59b2",
    2: "0100000022005500450046004900200046006c006f0070007000790020003200000002010c00d041030a000000000101060000010201"
    "0c00d0410406010000007fff04004eac0881119f594d850ee21a522c59b2",
    3: "010000001e0055004500460049002000510045004d00550020004400560044002d0052004f004d00200051004d003000300030003000"
    "33002000000002010c00d041030a0000000001010600010103010800010000007fff04004eac0881119f594d850ee21a522c59b2",
    4: "010000001e0055004500460049002000510045004d005500200048004100520044004400490053004b00200051004d00300030003000"
    "300031002000000002010c00d041030a0000000001010600010103010800000000007fff04004eac0881119f594d850ee21a522c59b2",
    5: "010000002c00450046004900200049006e007400650072006e0061006c0020005300680065006c006c00000004071400c9bdb87cebf8"
    "344faaea3ee4af6516a10406140083a5047c3e9e1c4fad65e05268d0b4d17fff0400",
    6: "010000003b005500450046004900200050005800450076003400200028004d00410043003a0030003000320036004600440030003000"
    "32003600460044002900000002010c00d041030a00000000010106000003030b25000026fd0026fd0000000000000000000000000000"
    "000000000000000000000000017fff04004eac0881119f594d850ee21a522c59b2",
    7: "01000000480065006400670065005f0062006f006f007400000004012a00010000003f00000000000000c1bf0f0000000000fafd1abe"
    "000000000000000000000000010104041a005c0065006400670065005f0062006f006f00740000007fff04005348454c4c3d7368656c"
    "6c",
    8: "010000005e006c007300680065006c006c00000004012a00010000003f00000000000000c1bf0f0000000000fafd1abe000000000000"
    "0000000000000101040430005c006500660069005c0062006f006f0074005c0062006f006f0074007800360034002e00650066006900"
    "00007fff04005348454c4c3d7368656c6c",
    9: "01000000620065006400670065005f0062006f006f007400000002010c00d041030a0000000001010600010103010800000000000401"
    "2a00010000003f00000000000000c1bf0f0000000000fafd1abe000000000000000000000000010104041a005c006500640067006500"
    "5f0062006f006f00740000007fff04005300480045004c004c003d007300680065006c006c000000",
    10: "010000004600650062005f00750074006600000004012a00010000003f00000000000000c1bf0f0000000000fafd1abe000000000000"
    "00000000000001010404180065006400670065005f0062006f006f00740000007fff04005300480045004c004c003d00730068006500"
    "6c006c00",
}
# Firmware wrote Boot0000; the three others are those of a provisioned unit.
UNIT_ENTRIES = {
    0: "090100002c0055006900410070007000000004071400c9bdb87cebf8344faaea3ee4af6516a10406140021aa2c4614760345836e8ab6"
    "f46623317fff0400",
    1: "010000004800440061007400610020004500720061007300650020002800440041004e0047004500520021002900000004012a000100"
    "0000000800000000000000400600000000006599dca5c504b04d92a0a6ae46f98d4b020204041a005c006e006f0072006d005f006200"
    "6f006f00740000007fff040044004100540041005f00450052004100530045003d003100",
    2: "01000000480046006f007200630065006400200046006100630074006f0072007900200052006500730074006f007200650000000401"
    "2a0001000000000800000000000000400600000000006599dca5c504b04d92a0a6ae46f98d4b020204041a005c006e006f0072006d00"
    "5f0062006f006f00740000007fff040071007500690065007400",
    3: "0100000048004e006f0072006d0061006c00200042006f006f007400000004012a000100000000080000000000000040060000000000"
    "6599dca5c504b04d92a0a6ae46f98d4b020204041a005c006e006f0072006d005f0062006f006f00740000007fff0400720065006100"
    "6c005f0072006f006f0074003d004c004100420045004c003d005000520049004d00410052005900200071007500690065007400",
}
UNIT = {entry_name(number): Variable(NV_BS_RT, bytes.fromhex(text)) for number, text in UNIT_ENTRIES.items()} | {
    BOOT_ORDER: Variable(NV_BS_RT, bytes.fromhex("03000000"))
}
ESP = EspLocation(1, 2048, 409600, "a5dc9965-04c5-4db0-92a0-a6ae46f98d4b")


@pytest.mark.parametrize(
    ("number", "description", "active", "nodes"),
    [
        (0, "UiApp", True, (Unknown, Unknown)),
        (1, "UEFI Floppy", True, (Acpi, Pci, Acpi)),
        (2, "UEFI Floppy 2", True, (Acpi, Pci, Acpi)),
        (3, "UEFI QEMU DVD-ROM QM00003 ", True, (Acpi, Pci, Unknown)),
        (4, "UEFI QEMU HARDDISK QM00001 ", True, (Acpi, Pci, Unknown)),
        (5, "EFI Internal Shell", True, (Unknown, Unknown)),
        (6, "UEFI PXEv4 (MAC:0026FD0026FD)", True, (Acpi, Pci, Mac)),
        (7, "edge_boot", True, (HardDrive, FilePath)),
        (8, "lshell", True, (HardDrive, FilePath)),
        (9, "edge_boot", True, (Acpi, Pci, Unknown, HardDrive, FilePath)),
        (10, "eb_utf", True, (HardDrive, FilePath)),
    ],
)
def test_entries_of_a_virtual_machine(
    number: int, description: str, active: bool, nodes: tuple[type[object], ...]
) -> None:
    data = bytes.fromhex(MACHINE[number])
    option = parse_load_option(data)
    assert (option.description, option.active) == (description, active)
    assert tuple(type(node) for node in option.path) == nodes
    assert serialise_load_option(option) == data
    assert is_network_path(option.path) == (number == 6)
    if number in (1, 2, 3, 4, 6):
        assert option.data == EDK2


def test_an_entry_of_an_mbr_disk() -> None:
    """Its arguments were stored as ASCII, which no kernel reads; those of the other one as UTF-16."""
    drive, file = parse_load_option(bytes.fromhex(MACHINE[7])).path
    assert isinstance(drive, HardDrive)
    assert (drive.number, drive.start, drive.size, drive.table) == (1, 0x3F, 0xFBFC1, 1)
    assert (drive.signature_kind, drive.signature[:4].hex(), drive.guid) == (SignatureKind.MBR, "fafd1abe", "")
    assert file == FilePath("\\edge_boot")
    assert decode_arguments(parse_load_option(bytes.fromhex(MACHINE[10])).data) == "SHELL=shell"


def test_an_entry_of_a_gpt_partition() -> None:
    """Cut off within its optional data, as the sample is."""
    data = bytes.fromhex(
        "010000005e00550045004600490020004f00530000" + "0004012a00010000004000000000000000"
        "00f0000000000000cd5c63814f1b3f4db7b8f78a5b029f35020204043000"
        "5c004500460049005c0042004f004f0054005c0042004f004f0054005800360034002e0045004600490000007fff040000"
        "00424f"
    )
    option = parse_load_option(data)
    drive, file = option.path
    assert isinstance(drive, HardDrive)
    assert (drive.guid, drive.start, drive.size) == ("81635ccd-1b4f-4d3f-b7b8-f78a5b029f35", 0x40, 0xF000)
    assert (option.description, file) == ("UEFI OS", FilePath("\\EFI\\BOOT\\BOOTX64.EFI"))
    assert option.data == b"\0\0BO"


def test_the_entries_of_a_unit_are_its_own() -> None:
    """Its normal entry has the words of ours in another order, and is written once; numbers and order stay."""
    wanted = planned_entries(Branding(), ESP, "")
    changes = reconcile(UNIT, wanted)
    assert [change.name for change in changes if isinstance(change, SetVariable)] == ["Boot0003"]
    assert len(changes) == 1
    after = apply_changes(UNIT, changes)
    assert reconcile(after, wanted) == ()
    assert numbers_in(after, BOOT_ORDER) == (3, 0)


@pytest.mark.parametrize(("number", "fallback"), [(0, True), (1, True), (2, False), (3, True)])
def test_what_a_start_without_arguments_means(number: int, fallback: bool) -> None:
    variables = {**UNIT, BOOT_CURRENT: Variable(6, number.to_bytes(2, "little"))}
    assert started_by_fallback(variables, Branding()) is fallback
