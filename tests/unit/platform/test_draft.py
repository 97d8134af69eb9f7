"""A platform is added from the office: out of what an unidentified machine reported, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.dmi.tables import FakeSystem, build_structure, build_table
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.cli.main import main
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import BadInput
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.platform.draft import ReportedHardware, draft_entry, read_hardware
from gprov.domain.platform.identify import identify
from gprov.domain.platform.model import ValidateMethod
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.nics import Nic
from tests.unit.flow.driver import UnitDriver

Shown = pytest.CaptureFixture[str]
STRANGER = FakeSystem(
    manufacturer="To be filled by O.E.M.",
    product="Default string",
    serial="System Serial Number",
    sku="B-7+",
    board=("Stranger Inc.", "SB-100 (rev 2)", "SB0042"),
)


def stranger() -> UnitDriver:
    """Two disks, interfaces of other makers, RECOVERY on USB."""
    unit = UnitDriver(new_world())
    machine = unit.machine
    machine.smbios = build_table(STRANGER)
    machine.add_disk(machine.disks[0].size, bus=Bus.ATA, serial="second")
    machine.nics = tuple(Nic(name=f"eth{i}", mac=f"02:1b:21:00:00:0{i}", carrier=True) for i in range(2))
    return unit


def delivered(unit: UnitDriver, folder: Path) -> tuple[str, str]:
    """Files with what the factory server has."""
    unit.provision_fails()
    [name] = unit.factory.serials
    kinds = {"smbios.b64": DocumentKind.SMBIOS, "hardware.json": DocumentKind.HARDWARE}
    for file, kind in kinds.items():
        (folder / file).write_text(unit.factory.reports[name, kind])
    return str(folder / "smbios.b64"), str(folder / "hardware.json")


def test_a_platform_is_added_out_of_what_an_unidentified_machine_reported(tmp_path: Path, capsys: Shown) -> None:
    unit = stranger()
    smbios, hardware = delivered(unit, tmp_path)
    assert main(["appliance", "draft", "--smbios", smbios, "--hardware", hardware]) == 0
    table = tmp_path / "appliance.json"
    table.write_text(capsys.readouterr().out)
    assert main(["appliance", "check", str(table)]) == 0
    assert main(["identify", "--platforms", str(table), "--smbios", smbios, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert (found["code_name"], found["serial"], found["by_fallback"]) == ("NEW-PLATFORM", "SB0042", False)
    entry = json.loads(Path(hardware).read_text()) | {"DevCodeName": "NEW-PLATFORM"}
    again = stranger()
    again.world.platforms = parse_platform_table("appliance.json", table.read_bytes())
    again.change_manuf(ValidationData=[entry])
    assert again.provision() is StopReason.REBOOT
    assert again.factory.code_names == {"SB0042": "NEW-PLATFORM"}


def test_the_draft_says_what_is_left_to_decide(tmp_path: Path, capsys: Shown) -> None:
    smbios, hardware = delivered(stranger(), tmp_path)
    assert main(["appliance", "draft", "--smbios", smbios, "--hardware", hardware]) == 0
    [entry] = json.loads(capsys.readouterr().out)["Variants"]
    todo = "\n".join(entry.pop("_ToDo"))
    assert {key: value for key, value in entry.items() if key not in ("DevCodeName", "Familyname")} == {
        "DmiMbMfg": "Stranger Inc.",
        "DmiProdName": "SB-100 (rev 2)",
        "DmiProdModelRegex": r"^B\-7\+$",
        "SerNumField": "baseboard-serial-number",
        "NICInfo": {
            "SharedDiagPorts": [],
            "WANIndex": 0,
            "DefaultNamesNoDiag": ["Port 1", "Port 2"],
            "MACPrefix": ["02:1b:21"],
        },
        "IPMI": False,
        "NumDataDisks": 2,
        "Disksize": 20 * GIB,
        "SwRaidlevel": 1,
        "RecoveryMedia": {"ValidateRDMethod": "usb", "FsType": "ext4"},
        "Lcd": "none",
    }
    for word in ("DevCodeName", "WANIndex", "SwRaidlevel", "Lcd"):
        assert word in todo
    for word in ("NumDataDisks", "SerNumField", "SKU", "IPMIChannel"):
        assert word not in todo


def test_a_table_alone_gives_a_draft_too(tmp_path: Path, capsys: Shown) -> None:
    file = tmp_path / "DMI"
    file.write_bytes(build_table(FakeSystem(manufacturer="M", product="P1", serial="none")))
    assert main(["appliance", "draft", "--smbios", str(file)]) == 0
    [entry] = json.loads(capsys.readouterr().out)["Variants"]
    todo = "\n".join(entry["_ToDo"])
    assert (entry["DmiMbMfg"], entry["DmiProdModelRegex"], entry["SerNumField"]) == ("", ".*", "system-serial-number")
    for word in ("NumDataDisks", "SerNumField", "SKU"):
        assert word in todo


def test_a_management_controller_in_the_table_or_the_hardware() -> None:
    plain = parse_table(build_table())
    device = build_structure(38, 0x2600, bytes(12))
    assert draft_entry(plain, None)["IPMI"] is False
    assert draft_entry(plain, ReportedHardware(controller=True))["IPMI"] is True
    assert draft_entry(parse_table(device + build_table()), None)["IPMI"] is True
    reported = read_hardware("hardware.json", b'{"DevCodeName": "X", "FirmwareVer": {"IPMI": "2.10"}}')
    assert reported == ReportedHardware(controller=True)


def test_another_file_is_no_list_of_hardware() -> None:
    with pytest.raises(BadInput, match=r"\$\.DevCodeName: is missing"):
        read_hardware("appliance.json", b'{"Variants": [{"DevCodeName": "X"}]}')


words = st.sampled_from(["", "Default string", "ACME", "A.B (C) [d]", "x+y|z", "To be filled by O.E.M.", "S-100"])
systems = st.builds(
    FakeSystem,
    manufacturer=words,
    product=words,
    serial=words,
    sku=words,
    board=st.none() | st.tuples(words, words, words),
)
reported = st.builds(
    ReportedHardware,
    disks=st.lists(st.integers(0, 1 << 45), max_size=4).map(tuple),
    macs=st.lists(st.from_regex(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", fullmatch=True), max_size=4).map(tuple),
    own_nics=st.integers(0, 4),
    recovery_bus=st.sampled_from(["", "usb", "ata", "nvme", "mmc"]),
    controller=st.booleans(),
)


@given(systems, st.none() | reported)
def test_every_draft_is_a_table_that_recognises_its_machine(system: FakeSystem, hardware: ReportedHardware) -> None:
    """Unless the firmware tells no maker, product or serial number; then the draft says so, or its check does."""
    table = parse_table(build_table(system))
    entry: dict[str, Any] = dict(draft_entry(table, hardware))
    if not entry["DmiMbMfg"]:
        entry |= {"DmiMbMfg": "M", "DmiProdName": "P"}
        parse_platform_table("appliance.json", json.dumps({"Variants": [entry]}).encode())
        return
    [platform] = parse_platform_table("appliance.json", json.dumps({"Variants": [entry]}).encode())
    if "SerNumField" in "".join(entry["_ToDo"]):
        table = parse_table(build_table(replace(system, serial="GP-1")))
    assert identify(table, [platform]).platform == platform
    if hardware is not None:
        attachments = {"usb": ValidateMethod.USB, "ata": ValidateMethod.SATA}
        wanted = attachments.get(hardware.recovery_bus, ValidateMethod.NONE)
        assert platform.recovery_media.validate is wanted
