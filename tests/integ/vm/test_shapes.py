"""Units with other disks than the usual one: NVMe, PVSCSI, virtio, more than 2 TiB, RECOVERY on SATA."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.disk_shapes import unit_spec, with_controllers, with_nic
from gprov.apps.host.lab.lifecycle import RESTORE
from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.netbooted import NETBOOTED

pytestmark = pytest.mark.vm

LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
ROWS = [
    pytest.param(NETBOOTED[FirmwareKind.UEFI], id="UEFI-nvme-netboot"),
    pytest.param(NETBOOTED[FirmwareKind.BIOS], id="BIOS-huge-virtio-netboot"),
    pytest.param(unit_spec("virtio"), id="UEFI-virtio", marks=pytest.mark.nightly),
    pytest.param(
        with_nic(with_controllers(unit_spec("sata"), DiskBus.PVSCSI), "vmxnet3"),
        id="UEFI-pvscsi-vmxnet3",
        marks=pytest.mark.nightly,
    ),
    pytest.param(unit_spec("huge"), id="UEFI-huge", marks=pytest.mark.nightly),
    pytest.param(unit_spec("dom"), id="UEFI-dom", marks=pytest.mark.nightly),
]
# Name of the data disk, and of RECOVERY's, as Linux has them; "sda" and "sdb" in any order.
BOTH_SCSI = ("sda", "sdb")
NAMES = {
    DiskBus.NVME: ("nvme0n1", "sda"),
    DiskBus.VIRTIO: ("vda", "sda"),
    DiskBus.PVSCSI: BOTH_SCSI,
    DiskBus.AHCI: BOTH_SCSI,
}


@pytest.fixture(scope="module", params=ROWS)
def unit(request: pytest.FixtureRequest, small_prepared_as: Callable[..., VirtualUnit]) -> VirtualUnit:
    """Provisioned, restored and started, or this fails."""
    return small_prepared_as(request.param)


def table_of(image: str) -> dict[str, Any]:
    with raw_view(SystemProcesses(), image) as view:
        done = subprocess.run(("sfdisk", "--json", view), check=True, capture_output=True, timeout=60)
    table: dict[str, Any] = json.loads(done.stdout)["partitiontable"]
    return table


def test_primary_fills_the_disk(unit: VirtualUnit) -> None:
    table = table_of(unit.primary())
    parts = [(part["type"], part["name"]) for part in table["partitions"]]
    before = [(BIOS_BOOT, "BIOS"), (LINUX, "BOOT")] if unit.spec.firmware is FirmwareKind.BIOS else []
    assert (table["label"], parts) == ("gpt", [*before, (LINUX, "PRIMARY")])
    last = table["partitions"][-1]
    left = unit.spec.primary_size - (last["start"] + last["size"]) * table.get("sectorsize", 512)
    assert 0 < left <= 2 << 20
    with ext_volume(SystemProcesses(), unit.primary(), len(parts)) as root:
        assert root.has("/boot.normal")
        facts = json.loads(root.read("/etc/provisioning/platform_facts.json"))
    assert facts["DevCodeName"] == unit.spec.code_name
    assert facts["Disksize"] == unit.spec.primary_size


def test_the_system_started_on_that_disk(unit: VirtualUnit) -> None:
    report = json.loads(Path(unit.path("report.json")).read_text())
    assert (report["verdict"], report["stages"][-1]["system"]["verdict"]) == ("passed", "multi-user")


@pytest.mark.nightly
@pytest.mark.parametrize("profile", ["sata", "huge", "raid1"])
def test_debian_starts_with_bios_without_a_failed_unit(prepared_as: Callable[..., VirtualUnit], profile: str) -> None:
    """From one disk, from behind the BIOS boot partition of a large one, and from an array."""
    debian_started(prepared_as(unit_spec(profile, FirmwareKind.BIOS)))


@pytest.mark.nightly
@pytest.mark.parametrize("profile", ["nvme", "virtio", "raid1"])
def test_debian_starts_with_uefi_without_a_failed_unit(prepared_as: Callable[..., VirtualUnit], profile: str) -> None:
    debian_started(prepared_as(unit_spec(profile)))


def debian_started(unit: VirtualUnit) -> None:
    report = json.loads(Path(unit.path("report.json")).read_text())
    system = report["stages"][-1]["system"]
    assert (report["verdict"], report["firmware"], system["verdict"]) == (
        "passed",
        unit.spec.firmware.value,
        "multi-user",
    )
    assert (system["failed"], system["root"], system["recovery"], system["online"]) == ("", "PRIMARY", True, True)


def test_disks_are_logged_with_their_persistent_identity(unit: VirtualUnit) -> None:
    """The order in which SCSI disks get their letters is not defined; the names of others follow from the bus."""
    log = Path(unit.serial_log(RESTORE)).read_text(errors="replace")
    names = NAMES[unit.spec.primaries[0]]
    (taken,) = set(re.findall(r"/dev/(\w+) \([^)]*\) taken: .*identity (.*?)\s*$", log, re.MULTILINE))
    (left,) = set(re.findall(r"RECOVERY is /dev/(\w+?)p?\d on .*identity (.*?)\s*$", log, re.MULTILINE))
    assert {taken[0], left[0]} == set(names)
    assert names is BOTH_SCSI or (taken[0], left[0]) == names
    serial = b"LABDISK0000"
    assert serial.decode() in taken[1] or serial.hex() in taken[1]
    assert "LABSTICK0001" in left[1]
