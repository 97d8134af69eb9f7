"""Units on each disk controller and network interface that QEMU has: provisioned over that interface, restored and
started from those disks. The table of times goes to the terminal; docs/evidence/lab.md has that of a run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.disk_shapes import unit_spec, with_controllers, with_nic
from gprov.apps.host.lab.lifecycle import RESTORE, Lab
from gprov.apps.host.lab.machine import E1000E, DiskBus, VirtualDisk, VirtualNic
from gprov.apps.host.lab.nics import NICS
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from tests.integ.vm.test_specification import RunStage, bench_of

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

UEFI, BIOS = FirmwareKind.UEFI, FirmwareKind.BIOS
# Firmware, controller of the data disk, controller of RECOVERY (the same wherever the firmware can start from it),
# network interface.
ROWS = [
    (UEFI, DiskBus.AHCI, DiskBus.AHCI, "e1000"),
    (BIOS, DiskBus.AHCI, DiskBus.AHCI, "e1000"),
    (UEFI, DiskBus.NVME, DiskBus.NVME, E1000E),
    (BIOS, DiskBus.NVME, DiskBus.NVME, E1000E),
    (UEFI, DiskBus.VIRTIO, DiskBus.VIRTIO, "virtio-net-pci"),
    (BIOS, DiskBus.VIRTIO, DiskBus.VIRTIO, "virtio-net-pci"),
    (UEFI, DiskBus.SCSI, DiskBus.SCSI, E1000E),
    (BIOS, DiskBus.SCSI, DiskBus.SCSI, E1000E),
    (UEFI, DiskBus.PVSCSI, DiskBus.USB, "vmxnet3"),
    (BIOS, DiskBus.PVSCSI, DiskBus.PVSCSI, "vmxnet3"),
    (UEFI, DiskBus.MEGASAS, DiskBus.USB, "rtl8139"),
    (BIOS, DiskBus.MEGASAS, DiskBus.MEGASAS, "rtl8139"),
    (UEFI, DiskBus.MEGASAS_GEN2, DiskBus.USB, "pcnet"),
    (BIOS, DiskBus.MEGASAS_GEN2, DiskBus.MEGASAS_GEN2, "pcnet"),
    (UEFI, DiskBus.MPTSAS, DiskBus.USB, "ne2k_pci"),
    (BIOS, DiskBus.MPTSAS, DiskBus.MPTSAS, "ne2k_pci"),
    (UEFI, DiskBus.LSI_895A, DiskBus.USB, "tulip"),
    (BIOS, DiskBus.LSI_895A, DiskBus.LSI_895A, "tulip"),
    (UEFI, DiskBus.LSI_810, DiskBus.USB, "i82550"),
    (BIOS, DiskBus.LSI_810, DiskBus.USB, "i82550"),
    (UEFI, DiskBus.ESP, DiskBus.USB, E1000E),
    (BIOS, DiskBus.ESP, DiskBus.ESP, E1000E),
    (BIOS, DiskBus.NVME, DiskBus.SDHCI, E1000E),
    (BIOS, DiskBus.AHCI, DiskBus.UAS, E1000E),
]
# Names of the kernel for whole disks; all others are SCSI disks to it.
NAMES = {DiskBus.NVME: r"nvme\dn1", DiskBus.VIRTIO: r"vd[ab]", DiskBus.SDHCI: r"mmcblk\d"}
# Drivers whose names differ from that of QEMU's model.
DRIVERS = {
    "virtio-net-pci": "virtio_net",
    "rtl8139": "8139cp",
    "pcnet": "pcnet32",
    "ne2k_pci": "ne2k-pci",
    "i82550": "e100",
}
HEAD = "| firmware | data disk | RECOVERY | network interface | provision | restore | boot |"
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def spec_of(firmware: FirmwareKind, data: DiskBus, recovery: DiskBus, nic: str) -> VirtualUnitSpec:
    return with_nic(with_controllers(unit_spec("sata", firmware), data, recovery), nic)


@pytest.fixture(scope="module")
def table(container: LabContainer) -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    for line in (HEAD, re.sub(r"[^|]+", "---", HEAD), *rows):
        container.progress().note(line)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(getattr(each, "value", each)) for each in row))
def test_a_unit_lives_on_these_models(
    container: LabContainer,
    small_products: Products,
    tmp_path: Path,
    table: list[str],
    row: tuple[FirmwareKind, DiskBus, DiskBus, str],
) -> None:
    spec = spec_of(*row)
    lab = Lab(container.processes(), container.stages(), lambda: small_products)
    unit, results = lab.lifecycle(str(tmp_path / "unit"), spec)
    failed = [f"{result.name}: {result.reason}" for result in results if not result.passed]
    seconds = [f"{result.seconds:.0f} s" for result in results]
    words = [spec.firmware.value, spec.primaries[0].value, spec.recovery_bus.value, row[3], *seconds, *failed]
    table.append(f"| {' | '.join(words)} |")
    container.progress().note(table[-1])
    assert not failed, "\n".join([*failed, *results[-1].tail])
    check_names(unit)
    check_primary(unit)
    shutil.rmtree(unit.folder)


def test_a_machine_with_all_models_has_each_of_its_disks_and_interfaces(
    container: LabContainer, run_stage: RunStage, tmp_path: Path
) -> None:
    """It is not as specified, so provisioning delivers what it found, and ends."""
    disks = tuple(disk_on(bus, tmp_path) for bus in CONTROLLERS)
    nics = tuple(VirtualNic(f"{Branding().mac_prefix}:00:00:{number:02x}", name) for number, name in enumerate(NICS, 1))
    with bench_of(unit_spec("sata", BIOS), container.builder().kernel(Flavor.MFG), run_stage, tmp_path) as bench:
        bench.start("all-models", replace(bench.machine, disks=disks, nics=nics))
        found = json.loads(bench.delivered(bench.unit.spec.serial, "hardware.json"))
    words = [re.fullmatch(r"/dev/(\w+) \(.* GB, (\w+), (.+)\)", line) for line in found["_Disks"]]
    buses = {hit[3].split()[-1]: (re.sub(r"sd[a-z]", "sd", hit[1]), hit[2]) for hit in words if hit is not None}
    scsi = {serial_of(bus): ("sd", "scsi") for bus, known in CONTROLLERS.items() if known.adapter}
    assert buses == scsi | {
        serial_of(DiskBus.AHCI): ("sd", "ata"),
        serial_of(DiskBus.NVME): ("nvme0n1", "nvme"),
        serial_of(DiskBus.VIRTIO): ("vda", "virtio"),
        serial_of(DiskBus.USB): ("sd", "usb"),
        serial_of(DiskBus.UAS): ("sd", "usb"),
        "0xdeadbeef": ("mmcblk0", "mmc"),
    }
    drivers = {line.split()[1]: line.split()[-1] for line in found["_Nics"]}
    assert drivers == {nic.mac: DRIVERS.get(nic.model, nic.model) for nic in nics}


def disk_on(bus: DiskBus, folder: Path) -> VirtualDisk:
    file = folder / f"{bus.value}.qcow2"
    SystemProcesses().run(("qemu-img", "create", "-q", "-f", "qcow2", str(file), str(1 << 30)))
    return VirtualDisk(name=bus.name.lower(), file=str(file), bus=bus, serial=serial_of(bus))


def serial_of(bus: DiskBus) -> str:
    return f"SN{bus.name}".replace("_", "")


def check_names(unit: VirtualUnit) -> None:
    """The restore took the disks of these controllers, as the kernel names them."""
    log = Path(unit.serial_log(RESTORE)).read_text(errors="replace")
    (taken,) = set(re.findall(r"/dev/(\w+) \([^)]*\) taken: ", log))
    (left,) = set(re.findall(r"RECOVERY is /dev/(\w+?)p?\d on ", log))
    assert re.fullmatch(NAMES.get(unit.spec.primaries[0], "sd[ab]"), taken), taken
    assert re.fullmatch(NAMES.get(unit.spec.recovery_bus, "sd[ab]"), left), left


def check_primary(unit: VirtualUnit) -> None:
    """As sfdisk and debugfs read it."""
    with raw_view(SystemProcesses(), unit.primary()) as view:
        done = subprocess.run(("sfdisk", "--json", view), check=True, capture_output=True, timeout=60)
    parts = json.loads(done.stdout)["partitiontable"]["partitions"]
    assert parts[-1]["type"].upper() in (LINUX, "83")
    with ext_volume(SystemProcesses(), unit.primary(), len(parts)) as root:
        assert root.has(f"/{Branding().flag_file}")
        facts = json.loads(root.read("/etc/provisioning/platform_facts.json"))
    assert facts["DevCodeName"] == unit.spec.code_name
