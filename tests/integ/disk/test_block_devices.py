"""Disks and partitions as we see them, against lsblk; contents, reads and events."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeviceFault, DeviceMissing

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
        assert not one["serial"] or disk.serial == one["serial"].strip()  # without udev, lsblk knows few serial numbers


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
    with blocks.changes() as changes:
        while changes.wait(0.05):
            pass  # events of other tests and programs that still arrive
        assert not changes.wait(0.05)
