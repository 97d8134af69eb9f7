"""What the factory gets of a machine that is not identified, or not as specified; the error is the same with it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from typing_extensions import override

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import BadInput, GprovError, HardwareMismatch, NetworkFault
from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.syntax import MAX_DOCUMENT, MAX_SERIAL
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.inventory import BusDevice
from gprov.domain.unit.nics import Nic
from tests.unit.flow.driver import UnitDriver

STRANGER = build_table(FakeSystem(manufacturer="Stranger", product="Box", serial="S-1"))
TABLE_URL = f"{BASE_URL}/appliance.json"


def entries(unit: UnitDriver) -> list[dict[str, Json]]:
    document = json.loads(unit.origin.content[MANUF_URL])
    found: list[dict[str, Json]] = document["ValidationData"]
    return found


def report(unit: UnitDriver, serial: str, kind: DocumentKind) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(unit.factory.reports[serial, kind])
    return found


def stranger(unit: UnitDriver) -> None:
    unit.machine.smbios = STRANGER


def no_serial(unit: UnitDriver) -> None:
    unit.machine.smbios = build_table(FakeSystem(serial="To be filled by O.E.M."))


def name_as_serial(unit: UnitDriver) -> None:
    unit.machine.smbios = build_table(FakeSystem(serial="UNKNOWN_SN_1"))


def no_smbios(unit: UnitDriver) -> None:
    unit.machine.smbios = b""


def no_table(unit: UnitDriver) -> None:
    unit.change_manuf(ApplianceJsonUrl=TABLE_URL)


def bad_table(unit: UnitDriver) -> None:
    unit.change_manuf(ApplianceJsonUrl=TABLE_URL)
    unit.origin.content[TABLE_URL] = b"{}"


UNIDENTIFIED: dict[str, tuple[Callable[[UnitDriver], None], type[GprovError], str]] = {
    "stranger": (stranger, HardwareMismatch, "no platform matches base board 'Stranger' 'Box'"),
    "no serial": (no_serial, HardwareMismatch, "is a placeholder"),
    "such a name as serial": (name_as_serial, HardwareMismatch, "the name of a machine without a serial number"),
    "no SMBIOS": (no_smbios, GprovError, "SMBIOS"),
    "no table": (no_table, NetworkFault, "status 404"),
    "bad table": (bad_table, BadInput, "Variants"),
}


@pytest.mark.parametrize("case", UNIDENTIFIED)
def test_a_machine_that_is_not_identified_reports_under_its_mac(blank: UnitDriver, case: str) -> None:
    change, family, text = UNIDENTIFIED[case]
    change(blank)
    before, own = blank.machine.media_state(), blank.machine.nics[0]
    error = blank.provision_fails()
    assert isinstance(error, family)
    assert text in "\n".join((str(error), *error.details()))
    name = f"UNKNOWN_SN_{own.mac.replace(':', '').upper()}"
    assert blank.factory.serials == {name}
    assert blank.factory.states == [ProcessState.MFG_FAILED]
    assert str(error) in repr([event.body for event in blank.factory.received])
    found = report(blank, name, DocumentKind.HARDWARE)
    assert found["DevCodeName"] == "UNKNOWN"
    assert found["TotalNics"] == len(blank.machine.nics)
    assert {serial for serial, _ in blank.factory.reports} == {name}
    assert blank.factory.documents == {}
    assert blank.factory.reported_macs == {}
    assert blank.machine.media_state() == before


def test_the_factory_gets_the_smbios_of_a_machine_that_is_not_identified(blank: UnitDriver) -> None:
    stranger(blank)
    blank.provision_fails()
    [name] = blank.factory.serials
    assert base64.b64decode(blank.factory.reports[name, DocumentKind.SMBIOS]) == STRANGER
    fields = report(blank, name, DocumentKind.IDENTITY)
    assert fields["system-manufacturer"] == fields["baseboard-manufacturer"] == "Stranger"
    assert (fields["system-product-name"], fields["system-serial-number"]) == ("Box", "S-1")
    assert '"system-manufacturer": "Stranger"' in blank.log()


def test_versions_of_the_management_controller_are_reported_of_any_machine(blank: UnitDriver) -> None:
    """Also of one that no platform matches: nothing says whether it has a controller."""
    blank.machine.bmc = FakeController()
    stranger(blank)
    blank.provision_fails()
    [name] = blank.factory.serials
    versions = report(blank, name, DocumentKind.HARDWARE)["FirmwareVer"]
    assert isinstance(versions, dict)
    assert {"BIOS", "IPMI"} <= set(versions)


def test_a_damaged_table_is_reported_as_it_is(blank: UnitDriver) -> None:
    blank.machine.smbios = b"\x01\x02damage"
    assert isinstance(blank.provision_fails(), BadInput)
    [name] = blank.factory.serials
    assert base64.b64decode(blank.factory.reports[name, DocumentKind.SMBIOS]) == b"\x01\x02damage"
    assert (name, DocumentKind.IDENTITY) not in blank.factory.reports
    assert (name, DocumentKind.HARDWARE) in blank.factory.reports


def test_interfaces_of_our_own_name_the_machine_and_not_an_adapter(blank: UnitDriver) -> None:
    stranger(blank)
    prefix = blank.world.branding.mac_prefix
    blank.machine.nics = (
        Nic(name="usb0", mac="00:11:22:33:44:55", carrier=True),
        Nic(name="eth0", mac=f"{prefix}:00:00:0b", carrier=True),
        Nic(name="eth1", mac=f"{prefix}:00:00:0a", carrier=True),
    )
    blank.provision_fails()
    assert blank.factory.serials == {f"UNKNOWN_SN_{prefix.replace(':', '').upper()}00000A"}
    blank.factory.serials.clear()
    blank.machine.nics = (
        Nic(name="eth0", mac="00:11:22:33:44:66", carrier=True),
        Nic(name="usb0", mac="00:11:22:33:44:5f", carrier=True),
    )
    blank.provision_fails()
    assert blank.factory.serials == {"UNKNOWN_SN_00112233445F"}


def test_a_machine_without_interfaces_gets_a_random_name_at_each_start(blank: UnitDriver) -> None:
    """The network is up already, over something that is no Ethernet interface."""
    stranger(blank)
    blank.machine.nics = ()
    for _ in range(2):
        blank.provision_fails(PROVISION_MFG_TEST="Skip-networking")
    assert len(blank.factory.serials) == 2
    for name in blank.factory.serials:
        prefix, _, value = name.rpartition("_")
        assert (prefix, len(value), value, len(bytes.fromhex(value))) == ("UNKNOWN_SN", 12, value.upper(), 6)
        assert len(name) <= MAX_SERIAL


@pytest.mark.parametrize("kind", ["stranger", "unspecified"])
def test_a_server_that_takes_no_documents_does_not_change_the_error(blank: UnitDriver, kind: str) -> None:
    expected = blank.copy()
    for unit in (blank, expected):
        if kind == "stranger":
            stranger(unit)
        else:
            unit.machine.add_disk(8 * GIB, bus=Bus.ATA, serial="another")
    blank.world.factory = Refusing()
    error = blank.provision_fails()
    assert (type(error), str(error)) == (HardwareMismatch, str(expected.provision_fails()))
    assert blank.factory.states[-1] is ProcessState.MFG_FAILED
    assert "hardware.json not delivered to the factory server: http://factory.invalid: full" in blank.warnings()


class Refusing(FakeFactory):
    @override
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        raise NetworkFault("http://factory.invalid", "full")


def test_hardware_that_is_not_as_specified_is_reported_as_a_specification_of_it(blank: UnitDriver) -> None:
    """With the reported entry in manufData.json the same machine is as specified."""
    machine = blank.machine
    device = BusDevice("0000:00:09.0", 0x8086, 0x1533, 0x020000)
    machine.inventory = replace(machine.inventory, pci=(*machine.inventory.pci, device))
    specified: dict[str, Json] = {
        **entries(blank)[0],
        "RamMegs": 1,
        "Devices": {"PCI": [{"Vendor": "0x8086", "Quantity": 0}]},
    }
    blank.change_manuf(ValidationData=[specified])
    before = machine.media_state()
    error = blank.provision_fails()
    assert str(error) == f"{SERIAL} is not as specified for QEMU-mfg-test (2 difference(s))"
    assert machine.media_state() == before
    assert blank.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    text = blank.factory.reports[SERIAL, DocumentKind.HARDWARE]
    assert list(blank.factory.reports) == [(SERIAL, DocumentKind.DIFFERENCES), (SERIAL, DocumentKind.HARDWARE)]
    rows = report(blank, SERIAL, DocumentKind.DIFFERENCES)
    assert rows == {
        "DevCodeName": "QEMU-mfg-test",
        "Differences": [
            {"Place": "RamMegs", "Required": "1 MiB (± 1 %)", "Detected": "1024 MiB usable, 1024 MiB installed"},
            {"Place": "Devices.PCI[0]", "Required": "0 x vendor 0x8086", "Detected": "1 (at 0000:00:09.0)"},
        ],
    }
    assert "Devices.PCI[0]\n  required: 0 x vendor 0x8086\n  detected: 1 (at 0000:00:09.0)" in blank.warnings()
    assert text.rstrip("\n") in blank.lines()
    found = json.loads(text)
    assert found["Recovery"]["Size"] == machine.disks[1].size
    assert found["MainDiskConfigs"][0][0]["Size"] == machine.disks[0].size
    blank.change_manuf(ValidationData=[found])
    blank.provision()
    assert list(blank.factory.documents) == [f"{SERIAL}_qav.htm"]


def test_the_hardware_of_a_platform_without_a_specification_is_reported(blank: UnitDriver) -> None:
    specified = entries(blank)[0]
    blank.change_manuf(ValidationData=[{**specified, "DevCodeName": "other"}])
    error = blank.provision_fails()
    assert str(error) == "no specification for QEMU-mfg-test; there are: other"
    found = report(blank, SERIAL, DocumentKind.HARDWARE)
    assert found["DevCodeName"] == "QEMU-mfg-test"
    blank.change_manuf(ValidationData=[found])
    blank.provision()
    assert blank.factory.states[-1] is ProcessState.MFG_SUCCEEDED


def test_hardware_as_specified_is_not_reported(provisioned: UnitDriver) -> None:
    assert provisioned.factory.reports == {}


def test_a_machine_with_hundreds_of_devices_fits_a_document(blank: UnitDriver) -> None:
    stranger(blank)
    machine = blank.machine
    devices = tuple(BusDevice(f"0000:{n >> 8:02x}:{n & 0xFF:02x}.0", 0x8086, n, 0x020000) for n in range(1000))
    machine.inventory = replace(machine.inventory, pci=devices)
    blank.provision_fails()
    for text in blank.factory.reports.values():
        assert len(text) <= MAX_DOCUMENT
