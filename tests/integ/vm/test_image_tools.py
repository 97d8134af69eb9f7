"""Each tool of the running system in the system of a unit, which has no Python; then the restore that it requests."""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import tarfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from virt.firmware.efi.bootentry import BootEntry
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume
from gprov.domain.boot.boot_request import RestoreRequested, parse_boot_request
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.formats.bzimage import parse_bzimage
from tests.integ.vm.conftest import PrepareUnit

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

RunStage = Callable[..., StageResult]
RESULTS = "/var/lib/tools"
REQUEST = "/etc/provisioning/boot_request"
# Of BIOS units the boot partition comes first.
ROOT = {FirmwareKind.UEFI: 1, FirmwareKind.BIOS: 2}
STICK = {FirmwareKind.UEFI: 2, FirmwareKind.BIOS: 1}

# Output, messages and exit status of each tool, as files.
SCENARIO = f"""
mkdir {RESULTS}
t() {{ name=$1; shift; "$@" >{RESULTS}/$name 2>{RESULTS}/$name.err </dev/null; echo $? >{RESULTS}/$name.status; }}
t python sh -c 'command -v python3'
t identify gprov-identify --ipmi
t kver gprov-kver
t kernel gprov-kver /boot/norm_boot
t image gprov-imgmeta /mnt/RECOVERY/Image/*.upd
t system gprov-imgmeta
t boot gprov-currentboot
printf 'irq=yes\\n' >/etc/provisioning/nic.conf
t nic systemctl start gprov-nic-config.service
t nic-log journalctl --no-pager -u gprov-nic-config.service
t ports gprov-nic-config --status
t link sh -c 'ip -o link; cd /sys/class/net; grep . e*/queues/*/*_cpus e*/queues/rx-*/rps_flow_cnt'
t blink gprov-blink 5
t lcd gprov-lcd-message text
sh -c 'kill -SEGV $$'
for second in 1 2 3 4 5 6 7 8 9 10; do sleep 1; ls /var/lib/systemd/coredump/core.sh.* >/dev/null 2>&1 && break; done
t dumps gprov-coredump-upload --status
t limits systemd-analyze cat-config systemd/coredump.conf
t upload gprov-coredump-upload
t confirmed cat /etc/provisioning/boots_confirmed
t unconfirmed gprov-factory-restore
t other gprov-erase --serial LAB9999
t withdrawn gprov-erase --serial LAB0001
t cancel gprov-erase --cancel
t restore gprov-factory-restore --oldest --yes
t request gprov-currentboot request
sync
"""


@pytest.fixture(params=list(FirmwareKind), ids=lambda firmware: firmware.value)
def unit(
    prepared_as: PrepareUnit, container: LabContainer, tmp_path: Path, request: pytest.FixtureRequest
) -> VirtualUnit:
    prepared = prepared_as(VirtualUnitSpec(firmware=request.param))
    return prepared.overlay(str(tmp_path / "unit"), container.processes())


class Results:
    """What the tools left on PRIMARY."""

    def __init__(self, unit: VirtualUnit) -> None:
        with ext_volume(SystemProcesses(), unit.primary(), ROOT[unit.spec.firmware]) as root:
            self.files = {name: root.read(f"{RESULTS}/{name}").decode() for name in root.names(RESULTS)}
            self.request = parse_boot_request(REQUEST, root.read(REQUEST))
            self.facts = json.loads(root.read("/etc/provisioning/platform_facts.json"))

    def failed(self, name: str) -> tuple[int, str]:
        return int(self.files[f"{name}.status"]), self.files[f"{name}.err"]

    def text(self, name: str) -> str:
        assert self.failed(name) == (0, ""), (name, self.files[name])
        return self.files[name]

    def values(self, name: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.text(name).splitlines())


def kernel_lines(kernel: str) -> list[str]:
    facts = asdict(parse_bzimage(Path(kernel).read_bytes()))
    return [f"{key.replace('_', ' ') + ':':<14}{value}" for key, value in facts.items()]


def metadata(image: str) -> list[str]:
    with lzma.open(image) as content:
        start = content.read(1 << 20)
    with tarfile.open(fileobj=io.BytesIO(start), mode="r:", ignore_zeros=True) as archive:
        member = archive.next()
        assert member is not None
        file = archive.extractfile(member)
        assert file is not None
        return [f"{key}: {value}" for key, value in json.loads(file.read()).items()]


def assert_boot_entry(found: dict[str, str], unit: VirtualUnit) -> None:
    """By what virt-firmware reads in the store of OVMF's variables."""
    if unit.spec.firmware is FirmwareKind.BIOS:
        assert (found["firmware"], found["entry"], found["description"]) == ("BIOS", "", "")
        return
    variables = Edk2VarStore(unit.variables).get_varlist()
    (first,) = struct.unpack_from("<H", variables["BootOrder"].data)
    entry = BootEntry(data=variables[f"Boot{first:04X}"].data)
    assert (found["firmware"], found["entry"]) == ("UEFI", f"{first:04X}")
    assert found["description"] == str(entry.title) == "Normal Boot"
    assert found["entry_arguments"] == entry.optdata.decode("utf-16-le").rstrip("\0")


def test_every_tool_in_a_system_without_python(unit: VirtualUnit, run_stage: RunStage, products: Products) -> None:
    script = Path(unit.path("scenario"))
    script.write_text(SCENARIO)
    with ext_volume(SystemProcesses(), unit.primary(), ROOT[unit.spec.firmware], writable=True) as root:
        root.add(str(script), "/usr/lib/gprov-lab/scenario")
    started = run_stage("tools", unit, STARTED)
    assert started.system is not None
    results = Results(unit)
    assert results.failed("python") == (127, ""), "there is no Python"

    identity = results.values("identify")
    assert identity["serial"] == unit.spec.serial
    assert identity["code_name"] == unit.spec.code_name
    assert identity["platform"] == results.facts["Familyname"]
    assert identity["ipmi"] == "false"

    assert results.text("kernel").splitlines() == kernel_lines(products.normal_kernel)
    assert results.text("kver").splitlines() == kernel_lines(products.normal_kernel)
    assert results.text("image").splitlines() == results.text("system").splitlines() == metadata(products.image)

    boot = results.values("boot")
    assert_boot_entry(boot, unit)
    assert f"{boot['release']} #{boot['build']} " in f"{started.system.facts['kernel']} "
    assert boot["image"] == products.image_name.removesuffix(".upd")
    assert (boot["start"], boot["boots"], boot["confirmed"]) == ("normal", "2", "yes")
    assert (boot["restores"], boot["failures"], boot["request"]) == ("1", "0", "nothing")

    assert_ports(results, unit)
    assert results.failed("blink")[0] == results.failed("lcd")[0] == results.failed("upload")[0] == 3
    assert "needs the program ipmitool" in results.failed("blink")[1]
    assert "no display is attached" in results.failed("lcd")[1]
    assert "coredump.conf cannot be read" in results.failed("upload")[1]
    assert re.fullmatch(r"core\.sh\.0\.[^\n]*\n", results.text("dumps"))
    assert "MaxUse=1G" in results.text("limits")

    assert results.failed("unconfirmed")[0] == results.failed("other")[0] == 1
    assert results.failed("withdrawn") == results.failed("cancel") == (0, "")
    assert results.text("request") == "restore\n"
    assert isinstance(results.request, RestoreRequested)
    assert results.request.serial == unit.spec.serial

    run_stage("requested", unit, RESTORED)
    assert logs_of_restores(unit)[-1].count("requested by the system") == 1
    with ext_volume(SystemProcesses(), unit.primary(), ROOT[unit.spec.firmware]) as root:
        assert not root.has(RESULTS)
        assert not root.has(REQUEST)


def assert_ports(results: Results, unit: VirtualUnit) -> None:
    assert results.failed("nic") == (0, ""), results.files["nic-log"]
    (line,) = results.text("ports").splitlines()
    assert f"mac={unit.spec.mac} use=port" in line
    assert "rx=1 tx=1" in line
    shown = results.files["link"]
    alias = line.partition(" alias=")[2]
    assert re.search(rf"{unit.spec.mac} .*\\    alias {re.escape(alias)}$", shown, re.MULTILINE), shown
    assert re.search(r"rx-0/rps_flow_cnt:131072$", shown, re.MULTILINE), shown
    assert re.search(r"rx-0/rps_cpus:0*3$", shown, re.MULTILINE), shown


def logs_of_restores(unit: VirtualUnit) -> list[str]:
    with ext_volume(SystemProcesses(), unit.recovery, STICK[unit.spec.firmware]) as stick:
        names = sorted(name for name in stick.names("/log") if name.startswith("recov"))
        return [stick.read(f"/log/{name}").decode() for name in names if name.endswith(".log")]
