"""Machines that are not as specified: each difference is told in full, and the hardware that a machine delivers is the
specification that fits it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.factory import LabFactory, factory_for
from gprov.apps.host.lab.lifecycle import UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, DiskBus, Machine, VirtualDisk, VirtualNic
from gprov.apps.host.lab.products import FIRST_IMAGE
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.events import ProcessState
from gprov.domain.formats.lcd.models import Model
from tests.integ.conftest import PROCESSES
from tests.integ.vm.person import screens

pytestmark = pytest.mark.vm

SPEC = VirtualUnitSpec(firmware=FirmwareKind.BIOS)
SECOND_NIC = VirtualNic(f"{Branding().mac_prefix}:00:00:02")
FIRMWARE = ("-smbios", "type=0,vendor=GPROV,version=1.0,date=01/02/2024")
FAILED = Expectation(Ending.RESET, (INIT_STARTED, ProcessState.MFG_STARTED.value, ProcessState.MFG_FAILED.value), 400.0)
UNIDENTIFIED = Expectation(Ending.RESET, (INIT_STARTED, ProcessState.MFG_FAILED.value), 400.0)
AS_SPECIFIED = "the hardware is as specified: going no further, as asked"
STOP = "PROVISION_MFG_TEST=Stop-after-validate,Verbose-logging"

RunStage = Callable[..., StageResult]
Document = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A unit with empty disks, and its factory. Nothing that it is provisioned with is ever fetched: each start ends
    when the hardware was compared."""

    unit: VirtualUnit
    factory: LabFactory
    kernel: str
    run_stage: RunStage

    @property
    def entry(self) -> Document:
        """The specification of the machine, with two interfaces and a version of the firmware."""
        entry: Document = self.manuf["ValidationData"][0]
        nic = {"Vendor": "0x8086", "Device": "0x10d3", "Class": "0x0200", "Quantity": 2}
        nics = {"NumOUINics": 2, "TotalNics": 2, "Devices": {"PCI": [nic]}}
        return {**entry, **nics, "FirmwareVer": {"BIOS": "1.0"}}

    @property
    def manuf(self) -> Document:
        return cast(Document, json.loads(self._manuf_file.read_text()))

    def serve(self, **values: object) -> None:
        self._manuf_file.write_text(json.dumps({**self.manuf, **values}))

    @property
    def machine(self) -> Machine:
        """As specified."""
        machine = self.factory.machine(self.unit)
        return replace(machine, nics=(*machine.nics, SECOND_NIC), extra=FIRMWARE, reports=False)

    def start(self, name: str, machine: Machine, *arguments: str, expected: Expectation = FAILED) -> StageResult:
        words = (*self.factory.server.arguments, *UNIT_ARGUMENTS, *arguments)
        booting = machine.booting(DirectKernel(self.kernel, words))
        result: StageResult = self.run_stage(name, self.unit, expected, booting)
        return result

    def asked(self, path: str, **query: str) -> Document:
        """What the server answers to people and tools."""
        url = f"http://127.0.0.1:{self.factory.server.port}/api/v1/{path}?{urlencode(query)}"
        with urlopen(url) as reply:
            return cast(Document, json.load(reply))

    def delivered(self, serial: str, name: str) -> str:
        return cast(str, self.asked("document", serial=serial, name=name)["content"])

    def console(self, name: str) -> str:
        """With one line feed at the end of a line: some have two carriage returns."""
        return re.sub("\n+", "\n", Path(self.unit.serial_log(name)).read_text(errors="replace"))

    @property
    def _manuf_file(self) -> Path:
        return Path(self.factory.server.folder, "files/manufData.json")


@pytest.fixture(scope="module")
def kernel(container: LabContainer) -> str:
    return container.builder().kernel(Flavor.MFG)


@pytest.fixture
def bench(kernel: str, run_stage: RunStage, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(SPEC, kernel, run_stage, tmp_path) as bench:
        yield bench


@contextmanager
def bench_of(spec: VirtualUnitSpec, kernel: str, run_stage: RunStage, folder: Path) -> Iterator[Bench]:
    unit = VirtualUnit.create(str(folder / "unit"), spec, PROCESSES)
    placeholder = folder / "file"
    placeholder.write_bytes(b"never fetched")
    with factory_for(PROCESSES, unit, "") as factory:
        names = (FIRST_IMAGE.filename, Branding().boot_kernel)
        factory.server.publish(dict.fromkeys(names, str(placeholder)), spec)
        yield Bench(unit, factory, kernel, run_stage)


def less_memory(machine: Machine, _folder: Path) -> Machine:
    return replace(machine, memory=1 * GIB)


def one_nic(machine: Machine, _folder: Path) -> Machine:
    return replace(machine, nics=machine.nics[:1])


def other_disk(machine: Machine, _folder: Path) -> Machine:
    first, *others = machine.disks
    return replace(machine, disks=(replace(first, bus=DiskBus.NVME), *others))


def extra_stick(machine: Machine, folder: Path) -> Machine:
    file = folder / "stick.qcow2"
    PROCESSES.run(("qemu-img", "create", "-q", "-f", "qcow2", str(file), str(1 * GIB)))
    return replace(machine, disks=(*machine.disks, VirtualDisk(name="stick", file=str(file), bus=DiskBus.USB)))


def other_firmware(machine: Machine, _folder: Path) -> Machine:
    return replace(machine, extra=tuple(word.replace("version=1.0", "version=0.9") for word in FIRMWARE))


NICS = ["NumOUINics", "TotalNics", "Devices.PCI[0]"]
CHANGES: Mapping[str, tuple[Callable[[Machine, Path], Machine], list[str]]] = {
    "less memory": (less_memory, ["RamMegs"]),
    "an interface less": (one_nic, NICS),
    "another disk model": (other_disk, ["MainDiskConfigs[0]"]),
    "an extra USB stick": (extra_stick, ["MainDiskConfigs[0]"]),
    "another version of the firmware": (other_firmware, ["FirmwareVer.BIOS"]),
}


def test_every_difference_is_told_and_the_delivered_hardware_fits_the_same_machine(
    bench: Bench, tmp_path: Path
) -> None:
    """The second start has the hardware that the machine delivered as its specification, and compares it in a step,
    too."""
    bench.serve(ValidationData=[bench.entry])
    machine = bench.machine
    for change, _ in CHANGES.values():
        machine = change(machine, tmp_path)
    bench.start("differs", machine)
    rows = bench.asked("unit", serial=SPEC.serial)["differences"]
    found = {row["place"]: (row["required"], row["detected"]) for row in rows}
    assert set(found) == {"RamMegs", "MainDiskConfigs[0]", "FirmwareVer.BIOS", *NICS}
    assert found["RamMegs"][0] == "2048 MiB (± 1 %)"
    assert found["RamMegs"][1].endswith("MiB usable, 1024 MiB installed")
    assert found["NumOUINics"] == ("2 with MAC prefix 56:78:90", "1 (56:78:90:00:00:01)")
    assert found["MainDiskConfigs[0]"] == (
        "1 x 21474836480 bytes (ATA QEMU HARDDISK)",
        "1 x 1073741824 bytes (QEMU QEMU HARDDISK), 1 x 21474836480 bytes (QEMU NVMe Ctrl)",
    )
    assert found["FirmwareVer.BIOS"] == ("'1.0'", "'0.9'")
    assert found["Devices.PCI[0]"][1].startswith("1 (at 0000:00:")
    console = bench.console("differs")
    for place, (required, detected) in found.items():
        lines = f"{place}\n  required: {required}\n  detected: {detected}\n"
        assert lines in console  # on what stays until the restart
        assert f"WARNING {lines}".replace("\n  ", "\n      ") in console
    entry = json.loads(bench.delivered(SPEC.serial, "hardware.json"))
    assert entry["Devices"]["Exact"] is True
    assert entry["DmiMatches"] == {"17[0] Size": "1 GB"}
    steps = [{"Name": "Compare", "When": "BeforeQA", "Commands": [compare_command(bench)]}]
    bench.serve(ValidationData=[entry], CustomPlatCfgSteps=[{"DevCodeName": SPEC.code_name, "ConfigSteps": steps}])
    bench.start("fits", machine, STOP)
    assert AS_SPECIFIED in bench.console("fits")
    assert "gprov-hardware: 0 difference(s)" in bench.console("fits")


def compare_command(bench: Bench) -> Document:
    return {"Command": f"gprov-hardware compare --manuf {bench.factory.server.manuf_url}"}


@pytest.mark.nightly
def test_the_machine_is_as_specified_without_a_change(bench: Bench) -> None:
    """Otherwise the changes below would show nothing."""
    bench.serve(ValidationData=[bench.entry])
    bench.start("fits", bench.machine, STOP)
    assert AS_SPECIFIED in bench.console("fits")


@pytest.mark.nightly
@pytest.mark.parametrize("name", CHANGES)
def test_one_difference(name: str, bench: Bench, tmp_path: Path) -> None:
    change, places = CHANGES[name]
    bench.serve(ValidationData=[bench.entry])
    bench.start("differs", change(bench.machine, tmp_path))
    assert [row["place"] for row in bench.asked("unit", serial=SPEC.serial)["differences"]] == places


@pytest.mark.nightly
def test_differences_scroll_on_the_display(kernel: str, run_stage: RunStage, tmp_path: Path) -> None:
    spec = replace(SPEC, lcd=Model.CFA_635)
    with bench_of(spec, kernel, run_stage, tmp_path) as bench:
        bench.serve(ValidationData=[bench.entry])
        machine = other_firmware(one_nic(bench.machine, tmp_path), tmp_path)
        waiting = "PROVISION_FAILURE_HOLD=60"
        result = bench.start("differs", machine, "PROVISION_LCD_MANUFACTURER=QEMU", waiting)
    shown = screens(result)
    for text in ("NumOUINics", "TotalNics", "FirmwareVer.BIOS", "required: '1.0'", "detected: '0.9'"):
        assert text in shown, shown


@pytest.mark.nightly
def test_a_platform_is_added_from_the_office(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Out of what a machine that no platform matches delivered; the table comes by ``ApplianceJsonUrl`` then."""
    machine = replace(bench.machine, smbios=replace(bench.machine.smbios, product="stranger", sku="S-1"))
    bench.start("unknown", machine, expected=UNIDENTIFIED)
    [unit] = [unit for unit in bench.asked("units")["units"] if unit["serial"] != SPEC.serial]
    assert unit["serial"] == f"UNKNOWN_SN_{SPEC.mac.replace(':', '').upper()}"
    files = {name: tmp_path / name for name in ("smbios.b64", "hardware.json")}
    for name, path in files.items():
        path.write_text(bench.delivered(unit["serial"], name))
    smbios, hardware = (str(path) for path in files.values())
    assert main(["appliance", "draft", "--smbios", smbios, "--hardware", hardware]) == 0
    table = Path(bench.factory.server.folder, "files/appliance.json")
    table.write_text(capsys.readouterr().out)
    assert main(["identify", "--platforms", str(table), "--smbios", smbios]) == 0
    assert SPEC.serial in capsys.readouterr().out
    entry = {**json.loads(files["hardware.json"].read_text()), "DevCodeName": "NEW-PLATFORM"}
    url = f"{bench.factory.server.guest_url}/files/appliance.json"
    bench.serve(ValidationData=[entry], ApplianceJsonUrl=url)
    bench.start("known", machine, f"{STOP},Allow-external-json")
    assert AS_SPECIFIED in bench.console("known")
