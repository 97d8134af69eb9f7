"""The same tests on the kernel that units run, which has FAT and finds partitions itself, and on disks of every
transport. The guest has this machine's file system, read-only, as its root, so that all its programs are there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BUSYBOX = Path("/usr/bin/busybox")
HERE = Path(__file__).parent
MARK = "GUEST-REPORT "

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(not BUSYBOX.exists(), reason="needs busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]

LARGE_SECTORS = "logical_block_size=4096,physical_block_size=4096"
USB_SLOT = "pci-0000:00:06.0-usb-0:3:1.0-scsi-0:0:0:0"
# Without an address Linux does not find it.
SAS_DISK = "scsi-hd,bus=sas.0,scsi-id=1,serial=P1,wwn=0x5000000000000001"
# Name of the disk → the QEMU device; what we should say: bus, serial, slot, sector size.
DISKS: dict[str, tuple[str, list[str | int]]] = {
    "nvme0n1": ("nvme,serial=N1,addr=4", ["NVME", "N1", "pci-0000:00:04.0-nvme-1", 512]),
    "vda": (f"virtio-blk-pci,serial=V1,addr=5,{LARGE_SECTORS}", ["VIRTIO", "V1", "pci-0000:00:05.0", 4096]),
    "sd-ata": ("ide-hd,bus=ide.1,serial=A1", ["ATA", "A1", "pci-0000:00:1f.2-ata-2", 512]),
    "sd-usb": ("usb-storage,bus=xhci.0,port=3,serial=U1", ["USB", "U1", USB_SLOT, 512]),
    "sd-scsi": ("scsi-hd,bus=scsi.0,scsi-id=3,lun=2,serial=S1", ["SCSI", "S1", "pci-0000:00:07.0-scsi-0:0:3:2", 512]),
    "sd-raid": ("scsi-hd,bus=raid.0,serial=R1", ["SCSI", "R1", "pci-0000:00:08.0-scsi-0:2:0:0", 512]),
    "sd-sas": (SAS_DISK, ["SCSI", "P1", "pci-0000:00:09.0-sas-phy1-lun-0", 512]),
    "sd-vmware": ("scsi-hd,bus=vmware.0,scsi-id=5,serial=W1", ["SCSI", "W1", "pci-0000:00:0a.0-scsi-0:0:5:0", 512]),
    "sd-wide": ("scsi-hd,bus=wide.0,scsi-id=1,serial=L1", ["SCSI", "L1", "pci-0000:00:0b.0-scsi-0:0:1:0", 512]),
    "mmcblk0": ("sd-card,bus=sd-bus", ["MMC", "0xdeadbeef", "", 512]),
}  # fmt: skip
CONTROLLERS = (
    "qemu-xhci,id=xhci,addr=6", "virtio-scsi-pci,id=scsi,addr=7", "megasas,id=raid,addr=8", "mptsas1068,id=sas,addr=9",
    "pvscsi,id=vmware,addr=0xa", "lsi53c895a,id=wide,addr=0xb", "sdhci-pci,addr=0xc",
)  # fmt: skip

Guest = Callable[..., str]


@pytest.fixture
def guest_disks(tmp_path: Path) -> list[str]:
    return disks(tmp_path)


def disks(images: Path) -> list[str]:
    arguments = [word for controller in CONTROLLERS for word in ("-device", controller)]
    for name, (device, _) in DISKS.items():
        image = images / f"{name}.disk"
        with image.open("wb") as file:
            file.truncate(1 << 30)
        arguments += ["-drive", f"if=none,id={name},file={image},format=raw", "-device", f"{device},drive={name}"]
    return arguments


def test_disks_of_every_transport(guest: Guest) -> None:
    console = guest(sys.executable, f"{HERE}/vm/report_disks.py", seconds=300)
    report = next(line for line in console.splitlines() if line.startswith(MARK))
    facts: dict[str, Any] = json.loads(report.removeprefix(MARK))
    # The order in which SCSI disks get their letters is not defined: they are distinguished by their serials.
    by_serial = {facts["disks"][name][1]: (name, facts["disks"][name]) for name in facts["disks"]}
    assert set(by_serial) == {expected[1] for _, expected in DISKS.values()}
    for name, (_, expected) in DISKS.items():
        kernel_name, found = by_serial[expected[1]]
        assert found == expected
        assert kernel_name.startswith("sd") if name.startswith("sd-") else kernel_name == name
    # As udev names them, which writes some in two ways.
    slots = {kernel_name: found[2] for kernel_name, found in facts["disks"].items()}
    assert {name: plain(path) for name, path in facts["udev"].items()} == slots
    assert facts["removable"] == ["mmcblk0"]
    check_partitions(facts)


def plain(path: str) -> str:
    return re.sub(r"(-ata-\d+)\.0$", r"\1", path.replace("virtio-pci", "pci"))


def check_partitions(facts: dict[str, Any]) -> None:
    nodes = [entry["node"] for entry in facts["sfdisk"]]
    assert nodes == ["/dev/nvme0n1p1", "/dev/nvme0n1p2"]
    sizes = [entry["size"] * 512 for entry in facts["sfdisk"]]
    uuids = [entry["uuid"].lower() for entry in facts["sfdisk"]]
    assert facts["partitions"] == [
        [node, size, uuid, label]
        for node, size, uuid, label in zip(nodes, sizes, uuids, ["ESP", "RECOVERY"], strict=True)
    ]
    assert facts["lsblk"] == [[node, str(size)] for node, size in zip(nodes, sizes, strict=True)]
    assert facts["after clear"] == []


def test_files_on_fat(guest: Guest) -> None:
    tests = f"{HERE}/test_files.py::TestFat"
    console = guest(sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", tests, seconds=600)
    assert " passed" in console
    assert "skipped" not in console


@pytest.mark.nightly
def test_everything_on_the_kernel_of_units(guest: Guest) -> None:
    arguments = ("-q", "--color=no", "--tb=short", "-p", "no:cacheprovider", "-m", "not vm", str(HERE))
    console = guest(sys.executable, "-m", "pytest", *arguments, seconds=3600)
    assert " passed" in console
    assert "skipped" not in console
