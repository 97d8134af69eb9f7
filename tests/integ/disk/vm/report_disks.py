"""Runs in the guest: partitions the NVMe disk, then prints as JSON what gprov, sfdisk and the kernel read."""

from __future__ import annotations

import json
import subprocess

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.partition import PartedPartitioner
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import Bus
from gprov.domain.disk.plan_layout import recovery_table

MARK = "GUEST-REPORT "

blocks = SysfsBlockDevices()
partitioner = PartedPartitioner(blocks, SystemClock())
nvme = next(disk for disk in blocks.disks() if disk.name.startswith("nvme"))
for firmware in (FirmwareKind.BIOS, FirmwareKind.UEFI):
    nvme = partitioner.write(nvme, recovery_table(firmware, nvme.size))
table = subprocess.run(["sfdisk", "-J", nvme.node], check=True, capture_output=True).stdout
listed = subprocess.run(["lsblk", "-nrbo", "PATH,SIZE", nvme.node], check=True, capture_output=True, text=True).stdout
partitions = [(part.node, part.size, part.uuid, part.label) for part in nvme.partitions]
partitioner.clear(nvme, 1 << 20, 1 << 20)


def path_of(name: str) -> str:
    """By udev's own program, "" if udev makes no name."""
    argv = ["udevadm", "test-builtin", "path_id", f"/sys/class/block/{name}"]
    told = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    return next((line.partition("=")[2] for line in told.splitlines() if line.startswith("ID_PATH=")), "")


facts = {
    "disks": {disk.name: [disk.bus.name, disk.serial, disk.slot, disk.sector_size] for disk in blocks.disks()},
    "udev": {disk.name: path_of(disk.name) for disk in blocks.disks()},
    "removable": [disk.name for disk in blocks.disks() if disk.bus is Bus.MMC and disk.removable],
    "partitions": partitions,
    "sfdisk": json.loads(table)["partitiontable"]["partitions"],
    "lsblk": [line.split() for line in listed.splitlines()[1:]],
    "after clear": [part.node for disk in blocks.disks() for part in disk.partitions],
}
print(f"\n{MARK}{json.dumps(facts)}", flush=True)
