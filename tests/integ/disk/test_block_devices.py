"""Disks and partitions as we see them, against lsblk; contents, reads and events."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.disk.partition_ids import read_partition_ids

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
COLUMNS = "NAME,PATH,MAJ:MIN,SIZE,LOG-SEC,RO,RM,TYPE,PARTUUID,PARTLABEL,SERIAL"


def lsblk(tool: Tool, *nodes: str) -> list[dict[str, Any]]:
    found = json.loads(tool("lsblk", "--bytes", "--json", "-o", COLUMNS, *nodes))["blockdevices"]
    assert isinstance(found, list)
    return found


def test_the_machines_own_disks_are_those_of_lsblk(tool: Tool) -> None:
    ours = SysfsBlockDevices().disks()
    theirs = [one for one in lsblk(tool) if one["type"] == "disk" and not one["name"].startswith("zram")]
    assert [disk.node for disk in ours] == sorted(one["path"] for one in theirs)
    for disk, one in zip(ours, sorted(theirs, key=lambda one: str(one["path"])), strict=True):
        assert str(disk.device) == one["maj:min"]
        assert disk.size == one["size"]
        assert disk.read_only == one["ro"]
        assert (
            not one["serial"] or disk.serial == one["serial"].strip()
        )  # without udev, lsblk reports few serial numbers


def test_loop_devices_are_listed_only_for_tests(make_disk: MakeDisk) -> None:
    disk = make_disk(64 * MIB)
    assert disk.node not in [other.node for other in SysfsBlockDevices().disks()]


@pytest.mark.parametrize("sector", [512, 4096])
def test_partitions_are_those_of_lsblk(sector: int, make_disk: MakeDisk, blocks: SysfsBlockDevices, tool: Tool) -> None:
    disk = make_disk(1 * GIB, sector)
    script = 'label: gpt\nsize=10MiB, name="one"\n7: size=20MiB, name="Zwei ü"\n12: size=30MiB\n'
    tool("sfdisk", "-q", "--no-reread", disk.node, stdin=script)
    tool("partx", "--add", "--sector-size", str(sector), disk.node)
    now = next(found for found in blocks.disks() if found.device == disk.device)
    (theirs,) = lsblk(tool, disk.node)
    assert now.sector_size == theirs["log-sec"] == sector
    assert [part.number for part in now.partitions] == [1, 7, 12]
    table = json.loads(tool("sfdisk", "-J", disk.node))["partitiontable"]["partitions"]
    for part, child, entry in zip(now.partitions, theirs["children"], table, strict=True):
        assert (part.node, str(part.device), part.size) == (child["path"], child["maj:min"], child["size"])
        assert part.start == entry["start"] * sector
        assert (part.uuid, part.label) == (entry["uuid"].lower(), entry.get("name", ""))


def kernel_ids(disk: Disk, tool: Tool) -> dict[int, str]:
    """PARTUUIDs by number as the kernel's own parser of tables has them, on a device that it scans; nothing of a kernel
    without one, or before 5.17."""
    node = tool("losetup", "--find", "--show", "--partscan", disk.node).strip()
    name = node.removeprefix("/dev/")
    try:
        found = {}
        for folder in Path(f"/sys/class/block/{name}").glob(f"{name}p*"):
            event = dict(line.partition("=")[::2] for line in (folder / "uevent").read_text().splitlines())
            found[int((folder / "partition").read_text())] = event.get("PARTUUID", "").lower()
        return {number: uuid for number, uuid in found.items() if uuid}
    finally:
        tool("losetup", "--detach", node)


def libblkid_ids(disk: Disk, tool: Tool) -> dict[int, str]:
    rows = tool("partx", "--show", "--noheadings", "--output", "NR,UUID", disk.node).splitlines()
    return {int(number): uuid.lower() for number, uuid in (row.split() for row in rows)}


def table_ids(disk: Disk) -> dict[int, str]:
    with open(disk.node, "rb") as file:
        ours = read_partition_ids(
            lambda offset, size: os.pread(file.fileno(), size, offset), disk.size, disk.sector_size, (1, 2, 3)
        )
    return {number: one.uuid for number, one in ours.items()}


TABLES: dict[str, list[str]] = {
    "usual": [],
    "256 entries": ["--resize-table=256"],
    "entries moved": ["--move-main-table=34"],
    "256 entries, moved": ["--resize-table=256", "--move-main-table=1000"],
}


@pytest.mark.parametrize("lost", [False, True], ids=["whole", "beginning lost"])
@pytest.mark.parametrize("name", TABLES)
def test_identities_out_of_any_gpt_are_those_of_kernel_and_libblkid(
    name: str, lost: bool, make_disk: MakeDisk, tool: Tool
) -> None:
    disk = make_disk(64 * MIB)
    parts = ["--new=1:4096:8191", "--change-name=1:one", "--new=3:8192:12287"]
    tool("sgdisk", *TABLES[name], *parts, disk.node)
    if lost:  # all between the protective MBR and the first partition
        with open(disk.node, "r+b") as file:
            file.seek(512)
            file.write(bytes(4095 * 512))
    theirs = table_ids(disk)
    assert list(theirs) == [1, 3]
    assert theirs == libblkid_ids(disk, tool)
    # Of a table whose beginning is lost the kernel shows nothing, unless it was started with the argument gpt.
    assert kernel_ids(disk, tool) in (theirs, {})


def test_a_backup_that_is_not_at_the_end(make_disk: MakeDisk, tool: Tool) -> None:
    """Of a disk that was copied onto a larger one."""
    small, large = make_disk(32 * MIB), make_disk(64 * MIB)
    tool("sgdisk", "--new=1:4096:8191", "--new=3:8192:12287", small.node)
    Path(large.node).write_bytes(Path(small.node).read_bytes())
    assert table_ids(large) == table_ids(small) == libblkid_ids(large, tool)
    assert kernel_ids(large, tool) in (table_ids(large), {})


def test_mbr_identities(make_disk: MakeDisk, blocks: SysfsBlockDevices, tool: Tool) -> None:
    disk = make_disk(1 * GIB)
    script = "label: dos\nlabel-id: 0x00c0ffee\nsize=10MiB\ntype=5\nsize=10MiB\nsize=10MiB\n"
    tool("sfdisk", "-q", "--no-reread", disk.node, stdin=script)
    tool("partx", "--add", disk.node)
    now = next(found for found in blocks.disks() if found.device == disk.device)
    table = json.loads(tool("sfdisk", "-J", disk.node))["partitiontable"]["partitions"]
    assert len(now.partitions) == 4
    expected = {entry["node"]: f"00c0ffee-{index:02x}" for index, entry in zip((1, 2, 5, 6), table, strict=True)}
    assert {part.node: part.uuid for part in now.partitions} == expected


def test_reads_are_exact(make_disk: MakeDisk, blocks: SysfsBlockDevices) -> None:
    disk = make_disk(1 * MIB)
    content = os.urandom(disk.size)
    Path(disk.node).write_bytes(content)
    assert blocks.read(disk.node, 511, 70001) == content[511:70512]
    with pytest.raises(DeviceFault, match=f"ends at {disk.size}"):
        blocks.read(disk.node, disk.size - 10, 11)
    with pytest.raises(DeviceMissing):
        blocks.read("/dev/nosuchdisk", 0, 1)


def test_a_new_partition_wakes_the_waiter(make_disk: MakeDisk, blocks: SysfsBlockDevices, tool: Tool) -> None:
    disk = make_disk(64 * MIB)
    tool("sfdisk", "-q", "--no-reread", disk.node, stdin="label: gpt\nsize=10MiB\n")
    with blocks.changes() as changes:
        adding = threading.Timer(0.2, lambda: tool("partx", "--add", disk.node))
        adding.start()
        assert changes.wait(20)
        adding.join()


def test_an_event_before_the_wait_is_not_lost(make_disk: MakeDisk, blocks: SysfsBlockDevices, tool: Tool) -> None:
    disk = make_disk(64 * MIB)
    tool("sfdisk", "-q", "--no-reread", disk.node, stdin="label: gpt\nsize=10MiB\n")
    with blocks.changes() as changes:
        tool("partx", "--add", disk.node)
        assert changes.wait(0)


def test_without_an_event_the_wait_ends(blocks: SysfsBlockDevices) -> None:
    """Events of other tests and programs may arrive before it."""
    end = time.monotonic() + 60
    with blocks.changes() as changes:
        while changes.wait(0.05):
            assert time.monotonic() < end
