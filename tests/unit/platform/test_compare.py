"""Hardware against its specification: every difference, and nothing but differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table
from gprov.domain.mfg.compare import Hardware, compare
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import identify
from gprov.domain.platform.inventory import BusDevice, Cpus, Inventory
from gprov.domain.unit.nics import Nic

GIB = 1 << 30
MIB = 1 << 20
DISKS = (
    Disk(
        name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=480 * GIB, bus=Bus.ATA, vendor="ATA", model="Fast"
    ),
    Disk(
        name="sdb", node="/dev/sdb", device=DeviceNumber(8, 16), size=480 * GIB, bus=Bus.ATA, vendor="ATA", model="Fast"
    ),
    Disk(
        name="sdc",
        node="/dev/sdc",
        device=DeviceNumber(8, 32),
        size=10 * GIB,
        bus=Bus.USB,
        vendor="QEMU",
        model="QEMU HARDDISK",
    ),
)
NICS = (
    Nic(name="eth1", mac="56:78:90:00:00:0a"),
    Nic(name="eth0", mac="56:78:90:00:00:09"),
    Nic(name="eth2", mac="02:00:00:00:00:01"),
)
INVENTORY = Inventory(
    Cpus(("Fast CPU", "Fast CPU"), cores=8, sockets=2, threads=16),
    memory=15994 * MIB,
    pci=(
        BusDevice("0000:00:02.0", 0x8086, 0x10D3, 0x020000),
        BusDevice("0000:00:03.0", 0x8086, 0x10D3, 0x020000),
        BusDevice("0000:00:04.0", 0x144D, 0xA808, 0x010802),
    ),
    usb=(BusDevice("1-1", 0x0403, 0x6001, 0x000000), BusDevice("usb1", 0x1D6B, 0x0002, 0x090001)),
)
SPEC = HardwareSpec(
    code_name="QEMU-mfg-test",
    recovery=DiskSpec(size=10 * GIB, tolerance_percent=1, vendor="QEMU", model="QEMU HARDDISK"),
    main_disks=((DiskSpec(size=1000 * GIB),), (DiskSpec(size=480 * GIB, quantity=2),)),
    cpu=CpuSpec("Fast CPU", 16, 2),
    ram_megs=16384,
    oui_nics=2,
    oui_sequential=True,
    total_nics=3,
    firmware_version=FirmwareVersions(bios="1.0"),
    pci=(
        DeviceSpec(quantity=2, vendor=0x8086, device=0x10D3, device_class=0x0200),
        DeviceSpec(quantity=0, vendor=0x10DE),
    ),
    usb=(DeviceSpec(quantity=1, vendor=0x0403, device=0x6001),),
    serial_regex="^SIM",
    dmi_matches={"bios-vendor": "GPROV", "2 Serial Number:": "SIM00001", "17[1] Size": "8 GB"},
)


def differences(
    spec: HardwareSpec,
    *,
    disks: Sequence[Disk] = DISKS,
    nics: Sequence[Nic] = NICS,
    inventory: Inventory = INVENTORY,
    smbios: SmbiosTable | None = None,
    bmc: FirmwareVersions | None = None,
    by_fallback: bool = False,
) -> dict[str, str]:
    seen = smbios or parse_table(build_table(FakeSystem(cpus=("X", "X"), modules=(8 * GIB, 8 * GIB))))
    serial = None if by_fallback else identify(seen, default_table()).serial
    hardware = Hardware(inventory=inventory, disks=disks, nics=nics, smbios=seen, bmc=bmc)
    problems = compare(spec, hardware, serial=serial, mac_prefix="56:78:90")
    found = {problem.place: problem.message for problem in problems}
    assert len(found) == len(problems)
    return found


def test_a_unit_as_specified() -> None:
    assert differences(SPEC) == {}


def test_what_is_not_specified_is_not_compared() -> None:
    assert differences(HardwareSpec(code_name="x", recovery=DiskSpec(size=10 * GIB), main_disks=())) == {}


def test_all_differences_at_once() -> None:
    nothing = Inventory(Cpus((), 0, 0), 0, (), ())
    empty = parse_table(build_table(FakeSystem(bios=("", "", ""), serial="OTHER", modules=())))
    found = differences(SPEC, disks=(), nics=(), inventory=nothing, smbios=empty)
    assert set(found) == {
        "SerNumRegex",
        "CPUInfo.Model",
        "CPUInfo.Cores",
        "CPUInfo.Sockets",
        "RamMegs",
        "Recovery",
        "MainDiskConfigs[0]",
        "MainDiskConfigs[1]",
        "NumOUINics",
        "TotalNics",
        "FirmwareVer.BIOS",
        "Devices.PCI[0]",
        "Devices.USB[0]",
        "DmiMatches.bios-vendor",
        "DmiMatches.2 Serial Number:",
        "DmiMatches.17[1] Size",
    }


def test_words() -> None:
    found = differences(replace(SPEC, ram_megs=32768, oui_nics=3, serial_regex="^QEMU"))
    assert found == {
        "RamMegs": "required 32768 MiB (± 1 %), detected 15994 MiB usable, 16384 MiB installed",
        "NumOUINics": "required 3 with MAC prefix 56:78:90, detected 2 (56:78:90:00:00:09, 56:78:90:00:00:0a)",
        "SerNumRegex": "required '^QEMU', detected serial number 'SIM00001'",
    }


def test_the_serial_number_of_a_prototype_follows_no_rule() -> None:
    assert differences(replace(SPEC, serial_regex="^QEMU"), by_fallback=True) == {}


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        (CpuSpec(), set()),
        (CpuSpec("Fast CPU"), set()),
        (CpuSpec("Slow CPU", 16, 2), {"CPUInfo.Model"}),
        (CpuSpec("Fast CPU", 8, 2), {"CPUInfo.Cores"}),
        (CpuSpec("Fast CPU", 16, 1), {"CPUInfo.Sockets"}),
    ],
)
def test_processors(spec: CpuSpec, places: set[str]) -> None:
    assert set(differences(replace(SPEC, cpu=spec))) == places


def test_every_socket_has_the_model() -> None:
    mixed = replace(INVENTORY, cpus=replace(INVENTORY.cpus, models=("Fast CPU", "Slow CPU")))
    assert differences(SPEC, inventory=mixed) == {"CPUInfo.Model": "required 'Fast CPU', detected 'Slow CPU'"}


@pytest.mark.parametrize(
    ("megs", "right"),
    [
        (15994, True),  # what our kernel has left
        (16150, True),  # what another kernel had left
        (16384, True),  # what is installed
        (15836, True),
        (15835, False),
        (16549, True),
        (16550, False),
        (8192, False),
        (32768, False),
    ],
)
def test_memory_is_what_is_usable_or_what_is_installed(megs: int, right: bool) -> None:
    assert ("RamMegs" not in differences(replace(SPEC, ram_megs=megs))) is right


def test_memory_if_the_firmware_does_not_tell() -> None:
    silent = parse_table(build_table(FakeSystem(cpus=("X",), modules=())))
    spec = replace(SPEC, dmi_matches={})
    assert "installed memory missing in SMBIOS" in differences(spec, smbios=silent)["RamMegs"]
    assert differences(replace(spec, ram_megs=16150), smbios=silent) == {}


def test_interfaces() -> None:
    gap = (NICS[0], replace(NICS[1], mac="56:78:90:00:00:08"), NICS[2])
    assert set(differences(SPEC, nics=gap)) == {"OUINicsSequential"}
    assert differences(replace(SPEC, oui_sequential=False), nics=gap) == {}
    assert set(differences(SPEC, nics=NICS[:2])) == {"TotalNics"}
    assert set(differences(SPEC, nics=NICS[1:])) == {"TotalNics", "NumOUINics"}


def test_firmware_of_the_management_controller() -> None:
    spec = replace(SPEC, firmware_version=FirmwareVersions(bios="1.0", ipmi="2.1", fru="3", me="5"))
    assert differences(spec, bmc=FirmwareVersions(bios="", ipmi="2.1", fru="3", me="5")) == {}
    assert differences(spec, bmc=FirmwareVersions(bios="", ipmi="2.0", fru="3", me="5")) == {
        "FirmwareVer.IPMI": "required '2.1', detected '2.0'"
    }
    assert set(differences(spec)) == {f"FirmwareVer.{part}" for part in ("IPMI", "FRU", "ME")}


@pytest.mark.parametrize(
    ("spec", "right"),
    [
        (DeviceSpec(quantity=2, vendor=0x8086, device=0x10D3, device_class=0x0200), True),
        (DeviceSpec(quantity=2, vendor=0x8086, device=0x10D3, device_class=0x020000), True),
        (DeviceSpec(quantity=2, device_class=0x0200), True),
        (DeviceSpec(quantity=1, vendor=0x144D, device=0xA808, device_class=0x010802), True),
        (DeviceSpec(quantity=1, vendor=0x144D, device=0xA808, device_class=0x010801), False),
        (DeviceSpec(quantity=1, vendor=0x144D, device=0xA808, device_class=0x0108), True),
        (DeviceSpec(quantity=1, vendor=0x8086, device=0x10D3), False),
        (DeviceSpec(quantity=3, vendor=0x8086, device=0x10D3), False),
        (DeviceSpec(quantity=0, vendor=0x8086), False),
        (DeviceSpec(quantity=0, vendor=0x8086, device=0x9999), True),
        (DeviceSpec(quantity=2, vendor=0x8086, device=0x10D3, device_class=0), False),
    ],
)
def test_pci_devices(spec: DeviceSpec, right: bool) -> None:
    assert (differences(replace(SPEC, pci=(spec,))) == {}) is right


@pytest.mark.parametrize(
    ("spec", "right"),
    [
        (DeviceSpec(quantity=1, vendor=0x0403, device=0x6001, device_class=0), True),
        (DeviceSpec(quantity=1, vendor=0x1D6B, device=0x0002, device_class=0x09), True),
        (DeviceSpec(quantity=1, vendor=0x1D6B, device=0x0002, device_class=0x090001), True),
        (DeviceSpec(quantity=1, vendor=0x1D6B, device=0x0002, device_class=0x03), False),
        (DeviceSpec(quantity=0, vendor=0x0403), False),
    ],
)
def test_usb_devices(spec: DeviceSpec, right: bool) -> None:
    assert (differences(replace(SPEC, usb=(spec,))) == {}) is right


def test_devices_in_words() -> None:
    spec = replace(SPEC, pci=(DeviceSpec(quantity=1, vendor=0x8086, device=0x10D3, description="Gigabit port"),))
    assert differences(spec) == {
        "Devices.PCI[0]": "required 1 x 'Gigabit port' (vendor 0x8086 device 0x10d3), "
        "detected 2 (at 0000:00:02.0, 0000:00:03.0)"
    }


def test_a_device_beyond_a_complete_list() -> None:
    """A list is complete with ``Exact``, whether it names kinds or single devices, wanted or forbidden ones."""
    assert differences(replace(SPEC, pci=())) == {}
    every = replace(SPEC, pci=(DeviceSpec(quantity=3),), pci_complete=True, usb_complete=True)
    assert differences(every) == {
        "Devices.USB": "required no other device (Exact), detected vendor 0x1d6b device 0x0002 class 0x09 at usb1"
    }
    assert differences(replace(every, usb=(*SPEC.usb, DeviceSpec(quantity=1, device_class=9)))) == {}
    forbidden = replace(every, usb=(*SPEC.usb, DeviceSpec(quantity=0, device_class=9)))
    assert differences(forbidden) == {"Devices.USB[1]": "required 0 x class 0x0009, detected 1 (at usb1)"}
    none = replace(every, pci=(), usb=(), usb_complete=False)
    assert differences(none) == {
        "Devices.PCI": "required no other device (Exact), detected "
        "vendor 0x8086 device 0x10d3 class 0x0200 at 0000:00:02.0; "
        "vendor 0x8086 device 0x10d3 class 0x0200 at 0000:00:03.0; "
        "vendor 0x144d device 0xa808 class 0x0108 at 0000:00:04.0"
    }


@pytest.mark.parametrize(
    ("matches", "found"),
    [
        ({"system-product-name": "mfg_test"}, {}),
        ({"system-product-name": "mfg"}, {"system-product-name": "required 'mfg', detected 'mfg_test'"}),
        ({"processor-version": "X"}, {}),
        ({"processor-version": "X\nX"}, {}),
        ({"processor-version": "X\nY"}, {"processor-version": "required 'X\\nY', detected 'X', 'X'"}),
        ({"firmware-revision": ""}, {}),
        ({"firmware-revision": "1.0"}, {"firmware-revision": "required '1.0', detected nothing"}),
        ({"17 Locator": "DIMM 0"}, {}),
        ({"17[1] Locator:": "DIMM 1"}, {}),
        ({"17[2] Locator": "DIMM 2"}, {"17[2] Locator": "required 'DIMM 2', detected nothing"}),
    ],
)
def test_dmi_matches(matches: Mapping[str, str], found: Mapping[str, str]) -> None:
    expected = {f"DmiMatches.{key}": message for key, message in found.items()}
    assert differences(replace(SPEC, dmi_matches=matches)) == expected
