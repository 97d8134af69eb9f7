"""A platform table with every key, and a simulated machine of that platform."""

from __future__ import annotations

import json
from functools import cache

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.new_worlds import SERIAL, world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.nics import Nic
from tests.unit.flow.driver import UnitDriver
from tests.unit.keys.outcome import encoded

# Its interfaces: the first is shared with diagnostics; one is not the platform's own.
MACS = ("56:78:90:00:00:01", "56:78:90:00:00:02", "a0:b1:c2:00:00:01", "02:00:00:00:00:01")

TABLE: dict[str, Json] = {
    "Variants": [
        {
            "DevCodeName": "Oxcart-12",
            "Familyname": "oxcart",
            "DmiMbMfg": "Maker",
            "DmiProdName": "Board 1",
            "DmiProdModelRegex": "^OX-1$",
            "DmiPMOverrideTyp": 1,
            "DmiPMOverrideFld": "Version",
            "CPU": "Fast CPU\nFast CPU",
            "SerNumField": "baseboard-serial-number",
            "NICInfo": {
                "SharedDiagPorts": [0],
                "WANIndex": 1,
                "DefaultNamesNoDiag": ["LAN", "WAN"],
                "MACPrefix": ["56:78:90", "A0:b1:c2"],
            },
            "IPMI": True,
            "IPMIChannel": 1,
            "NumDataDisks": 2,
            "Disksize": 20 * GIB,
            "DiskIsSSD": True,
            "SwRaidlevel": 1,
            "FakeraidType": "iMSM",
            "BiosConfigTool": "biostool",
            "IpmiConfigTool": "ipmitool",
            "Virttype": 2,
            "RecoveryMedia": {
                "LocateRDMethod": "byLabel",
                "ValidateRDMethod": "usb",
                "FsType": "ext4",
                "FsOptsAdditional": "noatime",
                "FsOptsOverride": False,
                "SSD": True,
                "AdminOwnsFolders": True,
            },
            "Lcd": "none",
            "Partoffset": "2048s",
            "Lowmemory": True,
            "Prototype": True,
            "DiskSTol": 5,
            "DiskTTol": 10,
        }
    ]
}


@cache
def _machine() -> UnitDriver:
    """The second data disk is 3 % larger than the first: both tolerances count."""
    [platform] = parse_platform_table("appliance.json", encoded(TABLE))
    world = world_of(platform, Branding(), FirmwareKind.UEFI)
    machine = world.machine
    machine.bmc = FakeController()
    machine.setups = {"biostool": FakeSetup(), "ipmitool": FakeSetup()}
    machine.smbios = build_table(
        FakeSystem(
            manufacturer="Maker",
            product="Board 1",
            serial="SYSTEM-1",
            version="OX-1",
            board=("Maker", "Board 1", SERIAL),
            cpus=("Fast CPU", "Fast CPU"),
        )
    )
    machine.disks[1].size += 20 * GIB * 3 // 100 // 512 * 512
    machine.nics = tuple(Nic(name=f"eth{i}", mac=mac, carrier=True) for i, mac in enumerate(MACS))
    unit = UnitDriver(world)
    entry = json.loads(unit.origin.content[MANUF_URL])["ValidationData"][0]
    disks = [[{"Size": 20 * GIB, "SizeTolerancePct": 5, "Quantity": 2}]]
    unit.change_manuf(ValidationData=[{**entry, "MainDiskConfigs": disks, "NumOUINics": 2, "TotalNics": 4}])
    return unit


def unit_with_table(document: Json) -> UnitDriver:
    """The machine with kernels that have this table. Raises BadInput."""
    unit = _machine().copy()
    unit.world.platforms = parse_platform_table("appliance.json", encoded(document))
    return unit
