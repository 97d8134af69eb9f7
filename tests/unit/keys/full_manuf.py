"""A manufData.json with every key, and a simulated machine that it provisions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.disk.drive_commands import MediaStore
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL, new_world
from gprov.domain.disk.layout import GIB
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.inventory import BusDevice, Cpus
from gprov.domain.unit.nics import Nic
from gprov.ports.process import Completed
from tests.unit.flow.driver import UnitDriver
from tests.unit.flow.test_steps_flow import listing
from tests.unit.keys.outcome import encoded

NAME = "QEMU-mfg-test"
EXTRA_FILES = {"manual.pdf": b"a manual", "tool.sh": b"a tool", "stash.txz": b"an archive"} | {
    f"{tool}.cfg": f"settings of {tool}".encode() for tool in ("biostool", "ipmitool")
}
NICS = ("56:78:90:00:00:01", "56:78:90:00:00:03")


def _file(unit: UnitDriver, name: str, **more: Json) -> dict[str, Json]:
    content = unit.origin.content[f"{BASE_URL}/{name}"]
    sums: dict[str, Json] = {
        "Sha256": hashlib.sha256(content).hexdigest(),
        "Sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }
    return {"Src": f"{BASE_URL}/{name}", "Size": len(content), **sums, **more}


def _machine() -> UnitDriver:
    """Disks a little smaller than specified, interfaces whose MACs have a gap, a BMC, a device that no list names."""
    unit = UnitDriver(new_world())
    world, machine = unit.world, unit.machine
    world.platforms = (
        replace(world.platforms[0], ipmi=True, bios_config_tool="biostool", ipmi_config_tool="ipmitool"),
    )
    machine.bmc = FakeController()
    # As the settings say: nothing has to be changed, which would need a restart.
    machine.setups = {tool: FakeSetup(settings=EXTRA_FILES[f"{tool}.cfg"]) for tool in ("biostool", "ipmitool")}
    machine.smbios = build_table(FakeSystem(serial=SERIAL, bios=("GPROV", "1.0", "01/02/2024")))
    machine.inventory = replace(
        machine.inventory,
        cpus=Cpus(("Fast CPU",), cores=2, sockets=1),
        pci=(
            BusDevice("0000:00:02.0", 0x8086, 0x10D3, 0x020000),
            BusDevice("0000:00:03.0", 0x8086, 0x10D3, 0x020000),
            BusDevice("0000:00:04.0", 0x1234, 0x1111, 0x030000),
        ),
        usb=(BusDevice("usb1", 0x1D6B, 0x0002, 0x090001),),
    )
    machine.nics = tuple(Nic(name=f"eth{i}", mac=mac, carrier=True) for i, mac in enumerate(NICS))
    for disk in machine.disks:
        disk.size -= disk.size // 200 // 512 * 512
    primary = machine.disks[0]
    primary.scsi_drive = SatDrive(machine.clock, MediaStore(primary), AtaModel(sectors=primary.size // 512))
    return unit


def programs(unit: UnitDriver) -> None:
    """Programs that steps and the stash archive use; they belong to one machine."""
    files = FakeFiles(unit.machine)

    def say(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        found = [word for word in argv[1:] if files.status(word) is not None]
        return Completed(0, f"said {' '.join(argv[1:])}, found {found}\n".encode(), b"")

    def fail(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        return Completed(3, b"", b"")

    def tar(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        files.replace(f"{argv[argv.index('-C') + 1]}/install.sh", b"#!/bin/sh -e\n")
        return Completed(0, b"", b"")

    unit.processes.programs |= {"say": say, "fail": fail, "xz": listing(10240), "tar": tar, "/bin/sh": say}


@cache
def _served() -> UnitDriver:
    unit = _machine()
    unit.origin.content |= {f"{BASE_URL}/{name}": content for name, content in EXTRA_FILES.items()}
    return unit


def unit_with(document: Json) -> UnitDriver:
    """The machine, and a factory that serves this document."""
    unit = _served().copy()
    unit.origin.content[MANUF_URL] = encoded(document)
    programs(unit)
    return unit


@cache
def full_manuf() -> dict[str, Json]:
    """Do not change it. Only ``ApplianceJsonUrl`` is missing, which ends provisioning."""
    unit = _served()
    disk: dict[str, Json] = {"SizeTolerancePct": 1, "Vendor": "ATA", "Model": "QEMU HARDDISK", "Quantity": 1}
    nic: dict[str, Json] = {"HumanDescription": "port", "Vendor": "0x8086", "Device": "0x10d3", "Class": "0x0200"}
    hub: dict[str, Json] = {"HumanDescription": "hub", "Vendor": "0x1d6b", "Device": "0x0002", "Class": "0x09"}
    command: dict[str, Json] = {
        "Command": "say {{.DLDir}}/tool.sh",
        "ExitStatus": "MustSucceed",
        "AddPath": "/opt/bin",
        "AddLibPath": "/opt/lib",
    }
    step: dict[str, Json] = {
        "Name": "Say something",
        "When": "AfterQA",
        "Verbose": True,
        "Files": [_file(unit, "tool.sh")],
        "Commands": [command],
    }
    files = [_file(unit, "manual.pdf", Dest="docs/manual.pdf"), _file(unit, IMAGE_NAME), _file(unit, "norm_boot")]
    return {
        "Files": list(files),
        "LogEndpoint": "http://factory.invalid/",
        "CredentialEndpoint": "http://vault.invalid/",
        "StashFiles": [_file(unit, "stash.txz")],
        "ValidationData": [
            {
                "DevCodeName": NAME,
                "CPUInfo": {"Model": "Fast CPU", "Cores": 2, "Sockets": 1},
                "RamMegs": 1024,
                "Recovery": {"Size": 4 * GIB, **disk, "Vendor": "QEMU"},
                "MainDiskConfigs": [[{"Size": 20 * GIB, **disk}]],
                "NumOUINics": 2,
                "OUINicsSequential": False,
                "TotalNics": 2,
                "FirmwareVer": {"BIOS": "1.0"},
                "Devices": {"Exact": False, "PCI": [{**nic, "Quantity": 2}], "USB": [{**hub, "Quantity": 1}]},
                "SerNumRegex": f"^{SERIAL}$",
                "DmiMatches": {"bios-vendor": "GPROV"},
            }
        ],
        "BurnIn": [
            {
                "DevCodeName": NAME,
                "TimeLimit": 600,
                "Cpu": {"Seconds": 10},
                "Memory": {"Percent": 40, "Loops": 2},
                "Disks": {"Seconds": 10, "WriteTest": True, "MinReadMBs": 100, "MinWriteMBs": 50},
                "Limits": {"MaxTemperature": 90, "MaxCorrectedErrors": 3, "MaxDiskErrors": 2},
            }
        ],
        "CustomPlatCfgSteps": [
            {
                "DevCodeName": NAME,
                "ConfigSteps": [step],
                "BiosSettings": _file(unit, "biostool.cfg"),
                "IpmiSettings": _file(unit, "ipmitool.cfg"),
            }
        ],
    }
