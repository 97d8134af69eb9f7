"""``gprov-hardware`` on the simulated machine: what it dumps fits the machine, and each change is a difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import World, plug_in
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.hardware_main import run_tool
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.platform.inventory import BusDevice
from gprov.domain.unit.nics import Nic

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> World:
    world = new_world()
    machine = world.machine
    machine.inventory = replace(
        machine.inventory,
        pci=(BusDevice("0000:00:02.0", 0x8086, 0x10D3, 0x020000),),
        usb=(BusDevice("usb1", 0x1D6B, 0x0002, 0x090001),),
    )
    return world


def tool(world: World, *words: str) -> int:
    unit = InitContainer()
    plug_in(unit, world)
    return run_tool(words, unit)


def pasted(world: World, entry: str) -> None:
    document = json.loads(world.origin.content[MANUF_URL])
    world.origin.content[MANUF_URL] = json.dumps({**document, "ValidationData": [json.loads(entry)]}).encode()


def dumped(world: World, capsys: Shown, *words: str) -> str:
    assert tool(world, "dump", *words) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_what_is_dumped_fits_the_machine(world: World, capsys: Shown) -> None:
    entry = dumped(world, capsys)
    assert json.loads(entry)["DevCodeName"] == "QEMU-mfg-test"
    pasted(world, entry)
    assert tool(world, "compare", "--manuf", MANUF_URL) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "gprov-hardware: 0 difference(s)\n")


def less_memory(machine: SimulatedMachine) -> None:
    machine.inventory = replace(machine.inventory, memory=machine.inventory.memory // 2)
    machine.smbios = build_table(FakeSystem(serial="SIM0001", modules=(GIB // 2,)))


def other_firmware(machine: SimulatedMachine) -> None:
    machine.smbios = build_table(FakeSystem(serial="SIM0001", bios=("GPROV", "0.9", "01/02/2024")))


def no_nic(machine: SimulatedMachine) -> None:
    machine.nics = ()


def another_nic(machine: SimulatedMachine) -> None:
    machine.nics = (*machine.nics, Nic(name="usb0", mac="02:00:00:00:00:01"))


def stick(machine: SimulatedMachine) -> None:
    machine.add_disk(GIB, bus=Bus.USB, serial="stick")


def other_disk(machine: SimulatedMachine) -> None:
    machine.disks[0].model = "Another"


def keyboard(machine: SimulatedMachine) -> None:
    device = BusDevice("1-1", 0x046D, 0xC31C, 0x000000)
    machine.inventory = replace(machine.inventory, usb=(*machine.inventory.usb, device))


CHANGES: dict[str, tuple[Callable[[SimulatedMachine], None], list[str]]] = {
    "less memory": (less_memory, ["RamMegs", "DmiMatches.17[0] Size"]),
    "other firmware": (other_firmware, ["FirmwareVer.BIOS"]),
    "no interface": (no_nic, ["NumOUINics", "TotalNics"]),
    "an adapter": (another_nic, ["TotalNics"]),
    "a USB stick": (stick, ["MainDiskConfigs[0]"]),
    "another disk": (other_disk, ["MainDiskConfigs[0]"]),
    "a keyboard": (keyboard, ["Devices.USB"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_of_the_machine_is_a_difference(name: str, world: World, capsys: Shown) -> None:
    change, places = CHANGES[name]
    world.machine.disks[0].model = "Fast"
    pasted(world, dumped(world, capsys))
    change(world.machine)
    assert tool(world, "compare", "--manuf", MANUF_URL) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[::3] == places
    assert all(line.startswith("  required: ") for line in lines[1::3])
    assert all(line.startswith("  detected: ") for line in lines[2::3])


def test_a_person_names_the_disk_that_is_recovery_and_the_platform(world: World, capsys: Shown) -> None:
    fixed = world.machine.add_disk(2 * GIB, bus=Bus.ATA, serial="dom")
    assert json.loads(dumped(world, capsys))["Recovery"]["Size"] == world.machine.disks[1].size
    for name in (fixed.name, f"/dev/{fixed.name}"):
        entry = json.loads(dumped(world, capsys, "--recovery", name, "--code-name", "ACME-1"))
        assert entry["DevCodeName"] == "ACME-1"
        assert entry["Recovery"]["Size"] == 2 * GIB
        assert [disk["Size"] for disk in entry["MainDiskConfigs"][0]] == [20 * GIB, 4 * GIB]
        pasted(world, json.dumps(entry))
        assert tool(world, "compare", "--manuf", MANUF_URL, "--code-name", "ACME-1") == 0
        capsys.readouterr()


def test_the_disk_with_the_volume_recovery_is_taken_for_recovery(world: World, capsys: Shown) -> None:
    """Of a unit that was provisioned. Without such a volume a USB disk is taken, or the smallest one."""
    world.provision()
    stick = world.machine.add_disk(2 * GIB, bus=Bus.USB, serial="stick")
    entry = json.loads(dumped(world, capsys))
    assert entry["Recovery"]["Size"] == world.machine.disks[1].size != stick.size
    pasted(world, json.dumps(entry))
    assert tool(world, "compare", "--manuf", MANUF_URL) == 0
    world.machine.disks[1].partitions.clear()
    capsys.readouterr()
    assert json.loads(dumped(world, capsys))["Recovery"]["Size"] == stick.size


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sdz", "RECOVERY: sdz: is not a disk of this machine; there are: sda, sdb, sdc, sdd"),
        ("sdc", "sdc: has the size, vendor and model of sdd: no entry can tell them apart"),
        ("sdc", "sdc: has 536870912 bytes; RECOVERY needs 1073741824"),
    ],
)
def test_a_disk_that_no_entry_can_describe(name: str, text: str, world: World, capsys: Shown) -> None:
    for serial in "12":
        world.machine.add_disk(GIB // 2, bus=Bus.ATA, serial=serial)
    assert tool(world, "dump", "--recovery", name) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert text in shown.err


def test_a_machine_without_specification(world: World, capsys: Shown) -> None:
    assert tool(world, "compare", "--manuf", MANUF_URL, "--code-name", "other") == 1
    assert "no specification for other; known: QEMU-mfg-test" in capsys.readouterr().err
    assert tool(world, "compare", "--manuf", "http://factory.invalid/none") == 3
    assert "status 404" in capsys.readouterr().err


def test_without_smbios_the_rest_is_dumped(world: World, capsys: Shown) -> None:
    """As a user who is not root gets it."""
    world.machine.smbios = b""
    assert tool(world, "dump") == 0
    shown = capsys.readouterr()
    entry = json.loads(shown.out)
    assert (entry["DevCodeName"], entry["FirmwareVer"], "DmiMatches" in entry) == ("UNKNOWN", {}, False)
    assert entry["TotalNics"] == 1
    assert "gprov-hardware: SMBIOS not read: " in shown.err


def test_serial_numbers_count_only_of_an_identified_machine(world: World, capsys: Shown) -> None:
    pasted(world, json.dumps({**json.loads(dumped(world, capsys)), "SerNumRegex": "^X"}))
    assert tool(world, "compare", "--manuf", MANUF_URL) == 1
    assert capsys.readouterr().out.splitlines()[0] == "SerNumRegex"
    world.machine.smbios = build_table(FakeSystem(product="stranger", serial="SIM0001"))
    assert tool(world, "compare", "--manuf", MANUF_URL, "--code-name", "QEMU-mfg-test") == 0
    assert "SerNumRegex not compared: the machine is not identified" in capsys.readouterr().err


def test_wrong_usage(world: World, capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        tool(world, "compare")
    assert ended.value.code == 2
    assert "--manuf" in capsys.readouterr().err
