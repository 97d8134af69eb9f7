"""Metadata of firmware RAID that mdadm wrote, in a guest whose kernel has md: an erase keeps it, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MARK = "GUEST-REPORT "
SIZE = 128 << 20
DISKS = 4
USER_DATA = b"data of the unit"
# Both copies of DDF with room for many records; the parameter block of IMSM.
MOST_KEPT = 2 << 20

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
        image = tmp_path / f"r{number}.disk"
        with image.open("wb") as file:
            file.truncate(SIZE)
        drive = f"if=none,id=r{number},file={image},format=raw,cache=unsafe"
        arguments += ["-drive", drive, "-device", f"scsi-hd,bus=scsi.0,serial=R{number},drive=r{number}"]
    return arguments


def test_arrays_of_mdadm_are_found_after_the_erase(guest: Guest, tmp_path: Path) -> None:
    console = guest(sys.executable, f"{Path(__file__).parent}/vm/keep_raid_metadata.py", seconds=600)
    line = next(line for line in console.splitlines() if line.startswith(MARK))
    for kind, facts in json.loads(line.removeprefix(MARK)).items():
        assert facts["after"] == facts["before"], kind
        assert ["Magic" in text for text in facts["before"]] == [True, True]
        assert ["was put back after the erase and compared" in note for note in facts["notes"]] == [True, True]
        assert all(0 < size < MOST_KEPT for size in facts["kept"])
        assert "raid1" in facts["mdstat"]
    for number in range(DISKS):
        assert USER_DATA not in (tmp_path / f"r{number}.disk").read_bytes()
