"""Arrays made by the adapter in a guest, whose kernel has md: the contract there, and what independent tools say of the
disks afterwards, here and there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.disk.arrays import MdArrays
from gprov.adapters.linux.system.process import SystemProcesses

HERE = Path(__file__).parent
MARK = "GUEST-REPORT "
DISKS = 5
SIZE = 400 << 20
START = 1 << 20  # of the only partition
LEVELS = {"raid1": (1, [0, 1]), "raid5": (5, [2, 3, 4])}

Guest = Callable[..., str]

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(shutil.which("mdadm") is None, reason="needs mdadm"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]


@pytest.fixture
def guest_disks(tmp_path: Path) -> list[str]:
    arguments = ["-device", "virtio-scsi-pci,id=scsi"]
    for number in range(DISKS):
        image = image_of(tmp_path, number)
        with image.open("wb") as file:
            file.truncate(SIZE)
        drive = f"if=none,id=r{number},file={image},format=raw,cache=unsafe"
        arguments += ["-drive", drive, "-device", f"scsi-hd,bus=scsi.0,serial=R{number},drive=r{number}"]
    return arguments


def image_of(folder: Path, number: int) -> Path:
    return folder / f"r{number}.disk"


@contextmanager
def attached(image: Path, offset: int) -> Iterator[str]:
    """The image from ``offset`` on as a loop device."""
    node = told("losetup", "--find", "--show", "--read-only", "--offset", str(offset), str(image)).strip()
    try:
        yield node
    finally:
        told("losetup", "--detach", node)


def told(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_adapter_keeps_the_contract_and_other_tools_agree(guest: Guest, tmp_path: Path) -> None:
    console = guest(sys.executable, f"{HERE}/vm/use_arrays.py", seconds=900)
    report = next(line for line in console.splitlines() if line.startswith(MARK))
    facts: dict[str, Any] = json.loads(report.removeprefix(MARK))
    for name, (level, numbers) in LEVELS.items():
        check_running(facts[name], level, len(numbers))
        for slot, number in enumerate(numbers):
            check_member(image_of(tmp_path, number), level, slot, len(numbers))
    check_file_system(image_of(tmp_path, 1))


def uuid_of(level: int) -> str:
    """As the contract chooses them."""
    return ":".join([f"{level:02x}01{level:02x}01"] * 4)


def check_running(facts: dict[str, Any], level: int, count: int) -> None:
    """What mdadm and the kernel said while it ran."""
    detail = dict(line.split("=", 1) for line in facts["detail"])
    assert (detail["MD_LEVEL"], detail["MD_DEVICES"]) == (f"raid{level}", str(count))
    assert (detail["MD_METADATA"], detail["MD_NAME"]) == ("1.2", "gp-unit:PRIMARY")
    assert detail["MD_UUID"] == uuid_of(level)
    status = "\n".join(facts["mdstat"])
    assert f"active raid{level}" in status
    assert f"[{count}/{count}] [{'U' * count}]" in status
    assert "bitmap:" in status
    assert facts["sync"] == "frozen"
    assert facts["read-only"] == "read-auto"


def check_member(image: Path, level: int, slot: int, count: int) -> None:
    """What mdadm here and our own parser say of its superblock."""
    with attached(image, START) as node:
        told_by_mdadm = told("mdadm", "--examine", node)
        record = MdArrays(SystemProcesses()).examine(node)
    said = dict(re.findall(r"^\s*(.+?) : (.*)$", told_by_mdadm, re.MULTILINE))
    assert record is not None
    assert said["Array UUID"] == uuid_of(level)
    assert record.array.replace("-", "") == said["Array UUID"].replace(":", "")
    assert record.device.replace("-", "") == said["Device UUID"].replace(":", "")
    assert said["Name"].split()[0] == record.name == "gp-unit:PRIMARY"
    assert (said["Raid Level"], record.level) == (f"raid{level}", level)
    assert int(said["Raid Devices"]) == record.disks == count
    assert said["Device Role"] == f"Active device {record.slot}"
    assert record.slot == slot
    assert int(said["Events"]) == record.events
    assert said["Array State"].startswith("A" * count)
    assert record.active == frozenset(range(count))
    assert "Internal Bitmap" in said


def check_file_system(image: Path) -> None:
    """Each half of a RAID 1 holds the file system, beyond what md keeps for itself, where no probe finds it."""
    with attached(image, START) as node:
        assert told("blkid", "-p", "-s", "TYPE", "-o", "value", node).strip() == "linux_raid_member"
        examined = told("mdadm", "--examine", node)
    hit = re.search(r"Data Offset : (\d+) sectors", examined)
    assert hit is not None
    with attached(image, START + 512 * int(hit[1])) as node:
        assert "PRIMARY" in told("dumpe2fs", "-h", node)
        assert told("debugfs", "-R", "cat /file", node) == "for another tool\n"
