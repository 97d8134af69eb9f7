"""Runs in the guest: arrays in containers with the metadata of firmware RAID, made by mdadm; an erase of their disks
that keeps it; and what mdadm finds afterwards, told as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.unit.execution.erase.raid_metadata import put_back, save
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill
from gprov.domain.platform.model import FakeraidType

MARK = "GUEST-REPORT "
USER_DATA = b"data of the unit"
KINDS = {FakeraidType.DDF: ("R0", "R1"), FakeraidType.IMSM: ("R2", "R3")}
# The guest has no firmware of Intel.
ENVIRONMENT = {**os.environ, "IMSM_NO_PLATFORM": "1"}


def mdadm(*words: str) -> str:
    done = subprocess.run(["mdadm", *words], env=ENVIRONMENT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"mdadm {words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def stop(*nodes: str) -> None:
    """An array is busy as long as mdmon works on it."""
    for node in nodes:
        for _ in range(50):
            if subprocess.run(["mdadm", "--stop", node], env=ENVIRONMENT, capture_output=True).returncode == 0:
                break
            time.sleep(0.2)
        else:
            raise SystemExit(f"cannot stop {node}")


def make(kind: FakeraidType, nodes: list[str]) -> None:
    for node in nodes:
        with open(node, "r+b") as device:
            while True:
                try:
                    device.write(USER_DATA * 65536)
                except OSError:  # the end of the disk
                    break
    name = kind.value.lower()
    container, volume = f"/dev/md/{name}", f"/dev/md/{name}-volume"
    mdadm("--create", container, "--run", f"--metadata={name}", "--raid-devices=2", *nodes)
    mdadm("--create", volume, "--run", "--level=1", "--assume-clean", "--size=32M", "--raid-devices=2", container)
    stop(volume, container)


def examined(disks: list[Disk]) -> list[str]:
    return [mdadm("--examine", disk.node) for disk in disks]


def erased(kind: FakeraidType, disks: list[Disk], blocks: SysfsBlockDevices) -> dict[str, object]:
    reader, writer = LinuxDiskReader(blocks, SystemClock()), LinuxDiskWriter(blocks, SystemClock())
    before = examined(disks)
    notes, kept = [], []
    for disk in disks:
        saved = save(disk, kind, reader)
        writer.overwrite(disk, Extent(0, disk.size), Fill(0), lambda done: None)
        notes.append(put_back(disk, kind, saved.found, writer, reader).note)
        kept.append(sum(one.extent.size for one in saved.found.ranges))
    after = examined(disks)
    container = f"/dev/md/{kind.value.lower()}-again"
    mdadm("--assemble", container, *(disk.node for disk in disks))
    mdadm("--incremental", container)
    mdstat = Path("/proc/mdstat").read_text()
    for line in Path("/proc/mdstat").read_text().splitlines():
        if line.startswith("md"):
            subprocess.run(["mdadm", "--stop", f"/dev/{line.split()[0]}"], capture_output=True)
    return {"before": before, "after": after, "notes": notes, "kept": kept, "mdstat": mdstat}


def main() -> None:
    blocks = SysfsBlockDevices()
    report = {}
    for kind, serials in KINDS.items():
        disks = [disk for disk in blocks.disks() if disk.serial in serials]
        make(kind, [disk.node for disk in disks])
        report[kind.value] = erased(kind, disks, blocks)
    print(MARK + json.dumps(report), flush=True)


main()
