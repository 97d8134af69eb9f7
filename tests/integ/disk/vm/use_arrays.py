"""Runs in the guest: the contract of arrays on real disks, then arrays for other tools to look at, told as JSON."""

from __future__ import annotations

import importlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from gprov.adapters.linux.disk.arrays import MdArrays
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.partition import PartedPartitioner
from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.filesystem.tools import LinuxFileSystems
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.platform.model import RaidLevel

MARK = "GUEST-REPORT "
# Beside this script; the folder is no package.
contract: Any = importlib.import_module("arrays_contract")


def told(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def bench() -> Any:
    blocks, processes = SysfsBlockDevices(), SystemProcesses()
    partitioner = PartedPartitioner(blocks, SystemClock())
    disks = sorted((disk for disk in blocks.disks() if disk.serial.startswith("R")), key=lambda disk: disk.serial)
    made = [partitioner.write(disk, primary_table(FirmwareKind.UEFI, disk.size, raid=True)) for disk in disks]
    nodes = tuple(disk.partitions[-1].node for disk in made)
    return contract.Bench(
        MdArrays(processes), blocks, LinuxFileSystems(processes), LinuxMounts(), LinuxFiles(), nodes, "/tmp/mounted"
    )


def left_behind(one: Any, level: RaidLevel, nodes: tuple[str, ...]) -> dict[str, object]:
    """An array with a file on it, and what mdadm and the kernel say of it while it runs."""
    began = time.monotonic()
    array = one.arrays.create(contract.spec_of(level), nodes)
    create = time.monotonic() - began
    one.filesystems.make(array.node, contract.EXT4)
    one.write(array, "file", b"for another tool\n")
    facts: dict[str, object] = {
        "detail": told("mdadm", "--detail", "--export", array.node).splitlines(),
        "mdstat": Path("/proc/mdstat").read_text().splitlines(),
        "sync": Path(f"/sys/block/{Path(array.node).name}/md/sync_action").read_text().strip(),
    }
    one.arrays.stop(array)
    began = time.monotonic()
    array = one.arrays.assemble(contract.spec_of(level).uuid, nodes)
    assemble = time.monotonic() - began
    facts["read-only"] = Path(f"/sys/block/{Path(array.node).name}/md/array_state").read_text().strip()
    one.arrays.stop(array)
    return facts | {"seconds": [round(create, 2), round(assemble, 2)]}


one = bench()
for rule in contract.CONTRACT:
    contract.clean(one)
    rule(one)
    print(f"kept: {rule.__name__}", flush=True)
contract.clean(one)
report = {
    "raid1": left_behind(one, RaidLevel.RAID1, one.nodes[:2]),
    "raid5": left_behind(one, RaidLevel.RAID5, one.nodes[2:5]),
}
print(f"\n{MARK}{json.dumps(report)}", flush=True)
