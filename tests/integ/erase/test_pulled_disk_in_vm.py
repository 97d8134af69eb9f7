"""A bench erase from which a disk is pulled in the middle: exit status, report and output; the other disk is erased."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MARK = "GUEST-REPORT "
SIZE = 64 << 20
CONFIDENTIAL = b"what a customer stored"
# Of the disk that is pulled, in bytes per second: its overwrite takes long enough.
SLOW = 4 << 20

Guest = Callable[..., str]

pytestmark = [
    pytest.mark.vm,
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]


def image(folder: Path, serial: str) -> Path:
    return folder / f"{serial}.disk"


@pytest.fixture
def guest_disks(tmp_path: Path) -> list[str]:
    arguments = ["-device", "virtio-scsi-pci,id=scsi"]
    for serial, limit in (("STAYS", ""), ("PULLED", f",throttling.bps-write={SLOW}")):
        file = image(tmp_path, serial)
        file.write_bytes(CONFIDENTIAL * (SIZE // len(CONFIDENTIAL)) + bytes(SIZE % len(CONFIDENTIAL)))
        arguments += ["-drive", f"if=none,id={serial},file={file},format=raw,cache=unsafe{limit}"]
        arguments += ["-device", f"scsi-hd,bus=scsi.0,serial={serial},drive={serial}"]
    return arguments


def test_exit_status_and_report_state_what_became_of_each_disk(guest: Guest, tmp_path: Path) -> None:
    console = guest(sys.executable, f"{Path(__file__).parent}/vm/pull_disk.py", seconds=400)
    line = next(line for line in console.splitlines() if line.startswith(MARK))
    facts = json.loads(line.removeprefix(MARK))
    assert facts["status"] == 1
    report = facts["report"]
    by_serial = {disk["disk"]["serial"]: disk for disk in report["disks"]}
    assert (report["verdict"], report["achieved"]) == ("failed", "not classified")
    stays, pulled = by_serial["STAYS"], by_serial["PULLED"]
    assert (stays["verdict"], stays["achieved"], stays["verification"]["examined"]) == ("erased", "clear", SIZE)
    assert (pulled["verdict"], pulled["technique"], pulled["verification"]["method"]) == ("failed", None, "none")
    [left] = pulled["passes"][-1]["unwritten"]["ranges"]
    assert (left["start"] < SIZE, left["end"]) == (True, SIZE)
    assert "was removed" in f"{pulled['errors']}"
    assert "NOT erased" in facts["said"]
    assert CONFIDENTIAL not in image(tmp_path, "STAYS").read_bytes()
    assert CONFIDENTIAL in image(tmp_path, "PULLED").read_bytes()
