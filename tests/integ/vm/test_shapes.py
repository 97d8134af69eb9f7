"""UEFI units with other disks than the usual one: NVMe, virtio, more than 2 TiB, RECOVERY on SATA."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.process import SystemProcesses
from gprov.apps.lab.lifecycle import RESTORE
from gprov.apps.lab.shapes import SHAPES, unit_spec
from gprov.apps.lab.unit import Unit
from gprov.apps.lab.volumes import ext_volume, raw_view

pytestmark = pytest.mark.vm

LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ROWS = [
    "nvme",
    "virtio",
    pytest.param("huge", marks=pytest.mark.nightly),
    pytest.param("dom", marks=pytest.mark.nightly),
]
# Name of the data disk, and of RECOVERY's, as Linux has them.
NAMES = {"nvme": ("nvme0n1", "sda"), "virtio": ("vda", "sda"), "huge": ("sda", "sdb"), "dom": ("sda", "sdb")}


@pytest.fixture(scope="module", params=ROWS)
def row(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def unit(row: str, prepared_as: Callable[..., Unit]) -> Unit:
    """Provisioned, restored and started, or this fails."""
    return prepared_as(unit_spec(row))


def table_of(image: str) -> dict[str, Any]:
    with raw_view(SystemProcesses(), image) as view:
        done = subprocess.run(("sfdisk", "--json", view), check=True, capture_output=True, timeout=60)
    table: dict[str, Any] = json.loads(done.stdout)["partitiontable"]
    return table


def test_primary_is_one_partition_that_takes_the_whole_disk(row: str, unit: Unit) -> None:
    table = table_of(unit.primary())
    (part,) = table["partitions"]
    assert (table["label"], part["type"], part["name"]) == ("gpt", LINUX, "PRIMARY")
    left = SHAPES[row].primary_size - (part["start"] + part["size"]) * table.get("sectorsize", 512)
    assert 0 < left <= 2 << 20
    with ext_volume(SystemProcesses(), unit.primary(), 1) as root:
        assert root.has("/boot.normal")
        facts = json.loads(root.read("/etc/provisioning/platform_facts.json"))
    assert facts["DevCodeName"] == unit.spec.code_name
    assert facts["Disksize"] == SHAPES[row].primary_size


def test_the_system_started_on_that_disk(row: str, unit: Unit) -> None:
    report = json.loads(Path(unit.path("report.json")).read_text())
    assert (report["verdict"], report["stages"][-1]["system"]["verdict"]) == ("passed", "multi-user")


def test_disks_are_logged_with_what_they_are_called_for_good(row: str, unit: Unit) -> None:
    """The order in which SCSI disks get their letters is nobody's promise; the names of others follow from the bus."""
    log = Path(unit.serial_log(RESTORE)).read_text(errors="replace")
    primary, recovery = NAMES[row]
    (taken,) = set(re.findall(r"/dev/(\w+) \([^)]*\) taken: .*identity (.*?)\s*$", log, re.MULTILINE))
    (left,) = set(re.findall(r"RECOVERY is /dev/(\w+?)p?\d on .*identity (.*?)\s*$", log, re.MULTILINE))
    if row in ("nvme", "virtio"):
        assert (taken[0], left[0]) == (primary, recovery)
    assert {taken[0], left[0]} == {primary, recovery}
    serial = b"LABDISK0000"
    assert serial.decode() in taken[1] or serial.hex() in taken[1]
    assert "LABSTICK0001" in left[1]
