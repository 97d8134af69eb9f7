"""What the partitioner writes, as sfdisk, sgdisk and the kernel read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.partition import PartedPartitioner
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB, MIB, PartitionRole, PartitionTable, PlannedPartition, TableKind
from gprov.domain.disk.model import Disk
from gprov.domain.disk.plan_layout import primary_table, recovery_table
from gprov.domain.errors import DeviceFault

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]

TYPES = {
    (TableKind.GPT, PartitionRole.ESP): "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    (TableKind.GPT, PartitionRole.BIOS_BOOT): "21686148-6449-6E6F-744E-656564454649",
    (TableKind.GPT, PartitionRole.LINUX): "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
    (TableKind.GPT, PartitionRole.RAID): "A19D880F-05FC-4D3B-A006-743F0F84911E",
    (TableKind.MBR, PartitionRole.LINUX): "83",
    (TableKind.MBR, PartitionRole.RAID): "fd",
}


@pytest.fixture
def partitioner(blocks: SysfsBlockDevices) -> PartedPartitioner:
    return PartedPartitioner(blocks, SystemClock())


def sfdisk(tool: Tool, node: str) -> dict[str, Any]:
    table = json.loads(tool("sfdisk", "-J", node))["partitiontable"]
    assert isinstance(table, dict)
    return table


PLANS = {
    "recovery-uefi": lambda size: recovery_table(FirmwareKind.UEFI, size),
    "recovery-bios": lambda size: recovery_table(FirmwareKind.BIOS, size),
    "primary-uefi": lambda size: primary_table(FirmwareKind.UEFI, size, raid=False),
    "primary-uefi-raid": lambda size: primary_table(FirmwareKind.UEFI, size, raid=True),
    "primary-bios": lambda size: primary_table(FirmwareKind.BIOS, size, raid=False),
    "primary-bios-raid": lambda size: primary_table(FirmwareKind.BIOS, size, raid=True),
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(
    ("size", "sector"), [(8 * GIB + 12345 * 512, 512), (8 * GIB, 4096), (3072 * GIB, 512)], ids=["odd", "4k", "3TiB"]
)
def test_other_tools_read_the_planned_table(
    name: str, size: int, sector: int, make_disk: MakeDisk, partitioner: PartedPartitioner, tool: Tool
) -> None:
    disk = make_disk(size, sector)
    table = PLANS[name](disk.size)
    written = partitioner.write(disk, table)
    check_by_sfdisk(sfdisk(tool, disk.node), table, sector)
    if table.kind is TableKind.GPT:
        assert "No problems found" in tool("sgdisk", "-v", disk.node)
    assert [(part.number, part.start, part.size) for part in written.partitions] == [
        (part.number, part.start, part.size) for part in table.partitions
    ]
    for part in written.partitions:
        status = os.stat(part.node)
        assert (os.major(status.st_rdev), os.minor(status.st_rdev)) == part.device


def check_by_sfdisk(found: dict[str, Any], table: PartitionTable, sector: int) -> None:
    assert found["label"] == {TableKind.GPT: "gpt", TableKind.MBR: "dos"}[table.kind]
    for entry, planned in zip(found["partitions"], table.partitions, strict=True):
        assert entry["start"] * sector == planned.start
        assert entry["size"] * sector == planned.size
        assert entry["type"].lower() == TYPES[table.kind, planned.role].lower()
        if table.kind is TableKind.MBR:
            assert bool(entry.get("bootable")) == planned.active
        else:
            assert entry["name"] == planned.label
            assert ("LegacyBIOSBootable" in entry.get("attrs", "")) == planned.active


def test_identities_are_those_that_sfdisk_tells(
    make_disk: MakeDisk, partitioner: PartedPartitioner, tool: Tool
) -> None:
    for firmware in FirmwareKind:
        disk = make_disk(1 * GIB)
        written = partitioner.write(disk, primary_table(firmware, disk.size, raid=False))
        found = sfdisk(tool, disk.node)
        if firmware is FirmwareKind.UEFI:
            assert [part.uuid for part in written.partitions] == [e["uuid"].lower() for e in found["partitions"]]
            assert [part.label for part in written.partitions] == ["PRIMARY"]
        else:
            signature = found["id"].removeprefix("0x")
            assert [part.uuid for part in written.partitions] == [f"{signature}-01", f"{signature}-02"]


def test_a_new_table_replaces_an_old_one_of_another_kind(
    make_disk: MakeDisk, partitioner: PartedPartitioner, tool: Tool
) -> None:
    disk = make_disk(1 * GIB)
    for plan in (recovery_table(FirmwareKind.UEFI, disk.size), recovery_table(FirmwareKind.BIOS, disk.size)):
        disk = partitioner.write(disk, plan)
        check_by_sfdisk(sfdisk(tool, disk.node), plan, 512)
    # A GPT left behind would win over the new MBR with other systems.
    assert "PMBR" not in tool("wipefs", disk.node)
    assert "gpt" not in tool("wipefs", disk.node)


def test_clear_zeroes_both_ends_and_nothing_else(
    make_disk: MakeDisk, partitioner: PartedPartitioner, blocks: SysfsBlockDevices
) -> None:
    disk = make_disk(300 * MIB)
    disk = partitioner.write(disk, recovery_table(FirmwareKind.UEFI, disk.size))
    with open(disk.node, "r+b") as device:
        for offset in (0, 40 * MIB - 1, 40 * MIB, 250 * MIB - 1, 250 * MIB, 300 * MIB - 1):
            device.seek(offset)
            device.write(b"x")
    partitioner.clear(disk, 40 * MIB, 50 * MIB)
    with open(disk.node, "rb") as device:
        content = device.read()
    assert not any(content[: 40 * MIB])
    assert content[40 * MIB : 40 * MIB + 1] == b"x"
    assert content[250 * MIB - 1 : 250 * MIB] == b"x"
    assert not any(content[250 * MIB :])
    now = next(found for found in blocks.disks() if found.device == disk.device)
    assert now.partitions == ()


def test_clear_of_more_than_there_is_clears_it_all(make_disk: MakeDisk, partitioner: PartedPartitioner) -> None:
    disk = make_disk(10 * MIB + 512)
    Path(disk.node).write_bytes(b"x" * disk.size)
    partitioner.clear(disk, 8 * MIB, 8 * MIB)
    with open(disk.node, "rb") as device:
        assert device.read() == bytes(disk.size)


def test_a_disk_in_use_is_not_touched(
    make_disk: MakeDisk, partitioner: PartedPartitioner, tool: Tool, mount_point: Path
) -> None:
    disk = make_disk(1 * GIB)
    disk = partitioner.write(disk, primary_table(FirmwareKind.UEFI, disk.size, raid=False))
    tool("mke2fs", "-q", "-t", "ext4", disk.partitions[0].node)
    before = sfdisk(tool, disk.node)
    LinuxMounts().mount(disk.partitions[0].node, str(mount_point), "ext4")
    with pytest.raises(DeviceFault, match="is in use"):
        partitioner.clear(disk, MIB, MIB)
    with pytest.raises(DeviceFault, match="is in use"):
        partitioner.write(disk, recovery_table(FirmwareKind.UEFI, disk.size))
    assert sfdisk(tool, disk.node) == before


def test_another_device_under_the_same_name_is_not_touched(make_disk: MakeDisk, partitioner: PartedPartitioner) -> None:
    """Names move when disks come and go; the device number that was chosen does not."""
    chosen, other = make_disk(64 * MIB), make_disk(64 * MIB)
    moved = Disk(name=chosen.name, node=other.node, device=chosen.device, size=chosen.size)
    with pytest.raises(DeviceFault, match="device number is"):
        partitioner.clear(moved, MIB, MIB)


def test_a_table_that_does_not_fit_is_a_device_fault(make_disk: MakeDisk, partitioner: PartedPartitioner) -> None:
    disk = make_disk(64 * MIB)
    outside = PlannedPartition(number=1, role=PartitionRole.LINUX, start=1 * MIB, size=64 * MIB)
    with pytest.raises(DeviceFault, match="cannot write the partition table"):
        partitioner.write(disk, PartitionTable(TableKind.GPT, (outside,)))
