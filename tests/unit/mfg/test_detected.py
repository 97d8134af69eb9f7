"""Detected hardware as a specification: read back and compared with the same machine, it has no difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.json.value import Json
from gprov.domain.formats.smbios.memory import module_size
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.mfg.compare import Hardware, compare
from gprov.domain.mfg.detected import detected_entry, entry_text
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.mfg.spec import DiskSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.inventory import BusDevice, Cpus, Inventory
from gprov.domain.unit.nics import Nic

GIB, MIB = 1 << 30, 1 << 20
PREFIX = "56:78:90"
NAME = "QEMU-mfg-test"
WITH_BMC = replace(default_table()[0], ipmi=True)
FILES = [
    {"Src": "http://server/WIDGET.LNX.SHINY.2026-01-15.1.upd", "Sha256": "0" * 64},
    {"Src": "http://server/norm_boot", "Sha256": "0" * 64},
]

words = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(["", "ATA", "ATA ", 'ä\x7f\n"', "\ud800"])
disks = st.builds(
    Disk,
    name=st.just("?"),
    node=st.just("?"),
    device=st.just(DeviceNumber(8, 0)),
    # Few sizes and names, so that disks are alike in some of them.
    size=st.sampled_from([0, 1, 512 * MIB, GIB, GIB, 8 * GIB, 20 * GIB, 3 << 40]),
    bus=st.sampled_from(list(Bus)),
    vendor=words | st.sampled_from(["", "ATA"]),
    model=words | st.sampled_from(["", "Fast"]),
)
one_device = st.builds(
    BusDevice,
    st.from_regex(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", fullmatch=True),
    st.sampled_from([0, 0x8086, 0xFFFF]) | st.integers(0, 0xFFFF),
    st.sampled_from([0, 0x10D3, 0xFFFF]) | st.integers(0, 0xFFFF),
    st.sampled_from([0, 1, 0x100, 0x10000, 0x010802, 0x020000, 0xFFFFFF]) | st.integers(0, 0xFFFFFF),
)
devices = st.lists(one_device, max_size=12)
macs = st.integers(0, 9).map(lambda number: f"{PREFIX}:00:00:{number:02x}") | st.integers(0, 9).map(
    lambda number: f"02:00:00:00:00:{number:02x}"
)
tables = st.builds(
    FakeSystem,
    bios=st.tuples(st.just("GPROV"), st.text("1.2 -v", max_size=6), st.just("01/02/2024")),
    modules=st.lists(st.sampled_from([0, GIB, 8 * GIB]), max_size=4),
).map(lambda system: parse_table(build_table(system)))
versions = st.text("0123.", max_size=5)


@st.composite
def machines(draw: st.DrawFn) -> Hardware:
    found = draw(st.lists(disks, max_size=6))
    return Hardware(
        inventory=Inventory(
            Cpus(
                tuple(draw(st.lists(words, max_size=3))),
                cores=draw(st.integers(0, 64)),
                sockets=draw(st.integers(0, 4)),
                threads=draw(st.integers(0, 128)),
            ),
            memory=draw(st.integers(64 * MIB, 1 << 42)),
            pci=tuple(draw(devices)),
            usb=tuple(draw(devices)),
        ),
        disks=tuple(
            replace(disk, name=f"sd{index}", node=f"/dev/sd{index}", device=DeviceNumber(8, index))
            for index, disk in enumerate(found)
        ),
        nics=tuple(Nic(name=f"eth{index}", mac=mac) for index, mac in enumerate(draw(st.lists(macs, max_size=5)))),
        smbios=draw(tables),
        bmc=draw(st.none() | st.builds(FirmwareVersions, ipmi=versions, fru=versions, me=versions)),
    )


def read_back(entry: Mapping[str, Json]) -> HardwareSpec:
    """Parsed as a part of manufData.json. Raises BadInput."""
    document = {"Files": FILES, "LogEndpoint": "http://server/", "ValidationData": [json.loads(entry_text(entry))]}
    data = parse_manuf("manufData.json", json.dumps(document).encode(), Branding(), [WITH_BMC])
    return data.validation[0]


def differences(entry: Mapping[str, Json], hardware: Hardware) -> tuple[Problem, ...]:
    return compare(read_back(entry), hardware, serial="SIM00001", mac_prefix=PREFIX)


@given(machines(), st.none() | st.builds(DiskSpec, size=st.sampled_from([GIB, 8 * GIB, 20 * GIB])))
def test_the_entry_of_a_machine_fits_that_machine(hardware: Hardware, wanted: DiskSpec | None) -> None:
    entry = detected_entry(NAME, hardware, wanted, PREFIX)
    if "Recovery" in entry:
        assert differences(entry, hardware) == ()
        return
    # Left out only if whatever describes one disk that is large enough describes all of them.
    for disk in hardware.disks:
        for other in hardware.disks if disk.size >= GIB else ():
            assert other.size == disk.size
            assert disk.vendor in ("", "\ud800", other.vendor)
            assert disk.model in ("", "\ud800", other.model)
    places = {problem.place for problem in _problems(entry)}
    assert places <= {"$.ValidationData[0].Recovery", "$.ValidationData[0].MainDiskConfigs"}
    # Everything but the disks is compared: with a RECOVERY disk beside, the entry fits.
    stick = Disk(name="x", node="/dev/x", device=DeviceNumber(8, 200), size=5 * GIB, bus=Bus.USB)
    second = replace(stick, name="y", device=DeviceNumber(8, 201), size=7 * GIB)
    more = replace(hardware, disks=(*hardware.disks, stick, second))
    assert differences(detected_entry(NAME, more, wanted, PREFIX), more) == ()


def _problems(entry: Mapping[str, Json]) -> Sequence[Problem]:
    with pytest.raises(BadInput) as caught:
        read_back(entry)
    return caught.value.problems


@given(machines(), st.data())
def test_the_entry_does_not_fit_a_machine_that_lacks_a_device_or_has_one_more(
    hardware: Hardware, data: st.DataObject
) -> None:
    entry = detected_entry(NAME, hardware, None, PREFIX)
    if "Recovery" not in entry:
        return
    inventory, is_pci, lacks = hardware.inventory, data.draw(st.booleans()), data.draw(st.booleans())
    present = inventory.pci if is_pci else inventory.usb
    others = present[1:] if present and lacks else (*present, data.draw(one_device))
    changed = replace(inventory, pci=others) if is_pci else replace(inventory, usb=others)
    found = differences(entry, replace(hardware, inventory=changed))
    assert [problem.place.split("[")[0] for problem in found] == ["Devices.PCI" if is_pci else "Devices.USB"]


@given(machines(), st.sampled_from([0, GIB, 8 * GIB]))
def test_the_entry_does_not_fit_a_machine_with_another_module(hardware: Hardware, size: int) -> None:
    """The memory may be the same in all: with two small modules instead of a large one, say."""
    entry = detected_entry(NAME, hardware, None, PREFIX)
    modules = [module_size(module) for module in hardware.smbios.of_type(17)]
    if "Recovery" not in entry or not modules or modules[0] == size:
        return
    other = parse_table(build_table(FakeSystem(modules=[size, *modules[1:]])))
    places = {problem.place for problem in differences(entry, replace(hardware, smbios=other))}
    assert "DmiMatches.17[0] Size" in places


def a_machine(*found: Disk) -> Hardware:
    system = FakeSystem(bios=("GPROV", "2.7", "01/02/2024"))
    return Hardware(
        inventory=Inventory(
            Cpus(("Fast", "Fast"), cores=8, sockets=2, threads=16),
            memory=15994 * MIB,
            pci=(
                BusDevice("0000:00:02.0", 0x8086, 0x10D3, 0x020000),
                BusDevice("0000:00:03.0", 0x8086, 0x10D3, 0x020000),
            ),
            usb=(BusDevice("1-1", 0x0403, 0x6001, 0x090001),),
        ),
        disks=found,
        nics=(Nic(name="eth1", mac="56:78:90:00:00:02"), Nic(name="eth0", mac="56:78:90:00:00:01")),
        smbios=parse_table(build_table(system)),
    )


def disk(name: str, size: int, bus: Bus = Bus.ATA) -> Disk:
    return Disk(name=name, node=f"/dev/{name}", device=DeviceNumber(8, ord(name[-1])), size=size, bus=bus)


def test_an_entry_as_a_person_would_write_it() -> None:
    found = a_machine(disk("sda", 8 * GIB), disk("sdb", 8 * GIB), disk("sdc", 10 * GIB, Bus.USB))
    entry = json.loads(entry_text(detected_entry(NAME, found, None, PREFIX)))
    assert {key: value for key, value in entry.items() if not key.startswith("_")} == {
        "DevCodeName": NAME,
        "CPUInfo": {"Model": "Fast", "Cores": 16, "Sockets": 2},
        "RamMegs": 15994,
        "Recovery": {"Size": 10 * GIB, "Quantity": 1, "_Bus": "usb"},
        "MainDiskConfigs": [[{"Size": 8 * GIB, "Quantity": 2}]],
        "NumOUINics": 2,
        "OUINicsSequential": True,
        "TotalNics": 2,
        "FirmwareVer": {"BIOS": "2.7"},
        "Devices": {
            "Exact": True,
            "PCI": [
                {
                    "HumanDescription": "at 0000:00:02.0, 0000:00:03.0",
                    "Vendor": "0x8086",
                    "Device": "0x10d3",
                    "Class": "0x0200",
                    "Quantity": 2,
                }
            ],
            "USB": [
                {"HumanDescription": "at 1-1", "Vendor": "0x0403", "Device": "0x6001", "Class": "0x09", "Quantity": 1}
            ],
        },
        "DmiMatches": {"17[0] Size": "1 GB"},
    }
    assert entry["_Modules"] == ["DIMM 0 Not Specified Not Specified"]
    assert entry["_Nics"] == ["eth0 56:78:90:00:00:01", "eth1 56:78:90:00:00:02"]


def test_the_disk_that_the_specification_describes_is_recovery() -> None:
    found = a_machine(disk("sda", 8 * GIB), disk("sdb", 20 * GIB), disk("sdc", 10 * GIB, Bus.USB))
    wanted = DiskSpec(size=19 * GIB, tolerance_percent=10)
    assert detected_entry(NAME, found, wanted, PREFIX)["Recovery"] == {"Size": 20 * GIB, "Quantity": 1, "_Bus": "ata"}
    none = replace(wanted, size=100 * GIB)
    assert detected_entry(NAME, found, none, PREFIX)["Recovery"] == {"Size": 10 * GIB, "Quantity": 1, "_Bus": "usb"}
    fixed = replace(found, disks=(disk("sda", 20 * GIB), disk("sdb", 8 * GIB)))
    assert detected_entry(NAME, fixed, None, PREFIX)["Recovery"] == {"Size": 8 * GIB, "Quantity": 1, "_Bus": "ata"}
