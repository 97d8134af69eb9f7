"""File systems that we make and check, as other tools see them."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.blkid import probe
from gprov.adapters.linux.filesystem.tools import LinuxFileSystems
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import CheckVerdict, Contents, Disk, FileSystemKind, FileSystemSpec
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, ToolFailed

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
EXT = [FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4]


@pytest.fixture
def filesystems() -> LinuxFileSystems:
    return LinuxFileSystems(SystemProcesses())


def superblock(tool: Tool, node: str) -> dict[str, str]:
    lines = tool("dumpe2fs", "-h", node).splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def blkid_tool(tool: Tool, node: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in tool("blkid", "-p", "-o", "export", node).splitlines())


@pytest.mark.parametrize("kind", EXT)
def test_ext(kind: FileSystemKind, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool) -> None:
    disk = make_disk(2 * GIB)
    filesystems.make(disk.node, FileSystemSpec(kind=kind, label="PRIMARY", reserved_percent=1, encrypt=True))
    found = superblock(tool, disk.node)
    features = set(found["Filesystem features"].split())
    assert found["Filesystem volume name"] == "PRIMARY"
    assert int(found["Reserved block count"]) * 100 == pytest.approx(int(found["Block count"]), rel=0.01)
    assert ("encrypt" in features) == (kind is FileSystemKind.EXT4)
    assert ("has_journal" in features) == (kind is not FileSystemKind.EXT2)
    assert ("extent" in features) == (kind is FileSystemKind.EXT4)
    assert found["Filesystem state"] == "clean"
    assert blkid_tool(tool, disk.node)["TYPE"] == kind.value
    tool("e2fsck", "-f", "-n", disk.node)


def test_the_journal_is_zeroed_even_on_a_dirty_disk(
    make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool
) -> None:
    disk = make_disk(64 * MIB)
    with open(disk.node, "r+b") as device:
        device.write(b"\xc0\x3b\x39\x98" * (disk.size // 4))  # looks like journal blocks everywhere
    LinuxFileSystems(SystemProcesses(), discard=False).make(
        disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="X")
    )
    size = int(superblock(tool, disk.node)["Block size"])
    extents = re.findall(r"\((\d+)(?:-\d+)?\):(\d+)(?:-(\d+))?", tool("debugfs", "-R", "stat <8>", disk.node))
    assert extents
    with open(disk.node, "rb") as device:
        for logical, first, last in extents:
            skipped = int(logical) == 0  # the journal's own superblock
            device.seek((int(first) + skipped) * size)
            assert not any(device.read((int(last or first) - int(first) + 1 - skipped) * size))


@pytest.mark.parametrize("sector", [512, 4096])
def test_fat(sector: int, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool) -> None:
    disk = make_disk(200 * MIB, sector)
    filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.VFAT, label="ESP"))
    found = blkid_tool(tool, disk.node)
    assert (found["TYPE"], found["LABEL"], found["VERSION"]) == ("vfat", "ESP", "FAT32")
    tool("fsck.fat", "-n", disk.node)


@pytest.mark.parametrize("kind", FileSystemKind)
def test_the_probe_agrees_with_blkid(
    kind: FileSystemKind, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool
) -> None:
    disk = make_disk(200 * MIB)
    filesystems.make(disk.node, FileSystemSpec(kind=kind, label="A LABEL"))
    found, ours = blkid_tool(tool, disk.node), probe(disk.node)
    assert (ours.kind, ours.label, ours.uuid) == (found["TYPE"], found["LABEL"].replace("\\ ", " "), found["UUID"])
    assert not ours.ambivalent


def test_probe_of_other_contents(make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool) -> None:
    disk = make_disk(64 * MIB)
    assert probe(disk.node).blank
    tool("mkswap", disk.node)
    assert probe(disk.node).kind == "swap"
    filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="X"))
    assert probe(disk.node).kind == "ext4"


def test_two_signatures_are_ambivalent(make_disk: MakeDisk, filesystems: LinuxFileSystems) -> None:
    disk = make_disk(64 * MIB)
    filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.VFAT, label="FAT"))
    with open(disk.node, "r+b") as device:
        boot_sector = device.read(1024)
        filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="EXT"))
        device.seek(0)
        device.write(boot_sector)
    assert probe(disk.node) == Contents(ambivalent=True)


def test_probe_of_nothing(make_disk: MakeDisk) -> None:
    with pytest.raises(DeviceMissing):
        probe("/dev/nosuchdisk")


def test_labels_that_do_not_fit_are_refused_before_anything_is_written(
    make_disk: MakeDisk, filesystems: LinuxFileSystems
) -> None:
    disk = make_disk(64 * MIB)
    for kind, label in ((FileSystemKind.EXT4, "seventeen letters"), (FileSystemKind.VFAT, "twelve chars")):
        with pytest.raises(BadInput, match="longer than"):
            filesystems.make(disk.node, FileSystemSpec(kind=kind, label=label))
    assert probe(disk.node).blank


def test_the_error_of_a_failing_program_has_its_command(make_disk: MakeDisk, filesystems: LinuxFileSystems) -> None:
    disk = make_disk(32 * 1024)
    with pytest.raises(ToolFailed) as caught:
        filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="X"))
    assert "mke2fs -F -q -t ext4" in caught.value.command


class TestChecks:
    @pytest.mark.parametrize("kind", FileSystemKind)
    def test_a_new_file_system_is_clean(
        self, kind: FileSystemKind, make_disk: MakeDisk, filesystems: LinuxFileSystems
    ) -> None:
        disk = make_disk(200 * MIB)
        filesystems.make(disk.node, FileSystemSpec(kind=kind, label="X"))
        assert filesystems.check(disk.node, kind) is CheckVerdict.CLEAN

    @pytest.mark.parametrize("kind", EXT)
    def test_damaged_ext_is_repaired(
        self, kind: FileSystemKind, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool
    ) -> None:
        disk = make_disk(200 * MIB)
        filesystems.make(disk.node, FileSystemSpec(kind=kind, label="X"))
        tool("debugfs", "-w", "-R", "clri <2>", disk.node)  # the root folder is gone
        tool("debugfs", "-w", "-R", "set_super_value state 2", disk.node)  # and the kernel noticed
        assert filesystems.check(disk.node, kind) is CheckVerdict.REPAIRED
        assert filesystems.check(disk.node, kind) is CheckVerdict.CLEAN
        tool("e2fsck", "-f", "-n", disk.node)

    def test_a_lost_superblock_is_repaired_from_a_copy(
        self, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool
    ) -> None:
        disk = make_disk(2 * GIB)
        filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="X"))
        with open(disk.node, "r+b") as device:
            device.write(bytes(4096))
        assert filesystems.check(disk.node, FileSystemKind.EXT4) is CheckVerdict.REPAIRED
        assert superblock(tool, disk.node)["Filesystem volume name"] == "X"

    @pytest.mark.parametrize("kind", FileSystemKind)
    def test_a_blank_device_is_beyond_repair(
        self, kind: FileSystemKind, make_disk: MakeDisk, filesystems: LinuxFileSystems
    ) -> None:
        assert filesystems.check(make_disk(64 * MIB).node, kind) is CheckVerdict.BEYOND_REPAIR

    def test_damaged_fat_is_repaired(self, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool) -> None:
        disk = make_disk(200 * MIB)
        filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.VFAT, label="ESP"))
        with open(disk.node, "r+b") as device:  # the second FAT differs from the first
            device.seek(14)
            reserved = int.from_bytes(device.read(2), "little")
            device.seek(reserved * 512 + 400)
            device.write(b"\x12\x34\x56\x07")
            device.flush()
        assert filesystems.check(disk.node, FileSystemKind.VFAT) is CheckVerdict.REPAIRED
        tool("fsck.fat", "-n", disk.node)

    def test_the_dirty_bit_of_fat_is_removed(
        self, make_disk: MakeDisk, filesystems: LinuxFileSystems, tool: Tool
    ) -> None:
        """What a power cut leaves behind on an ESP."""
        disk = make_disk(200 * MIB)
        filesystems.make(disk.node, FileSystemSpec(kind=FileSystemKind.VFAT, label="ESP"))
        with open(disk.node, "r+b") as device:
            device.seek(65)
            device.write(b"\x01")
        assert filesystems.check(disk.node, FileSystemKind.VFAT) is not CheckVerdict.BEYOND_REPAIR
        tool("fsck.fat", "-n", disk.node)

    @pytest.mark.parametrize("kind", FileSystemKind)
    def test_no_device_no_verdict(self, kind: FileSystemKind, filesystems: LinuxFileSystems) -> None:
        with pytest.raises(DeviceFault):
            filesystems.check("/dev/nosuchdisk", kind)

    def test_copies_that_cannot_be_read_are_no_verdict(self, filesystems: LinuxFileSystems, tmp_path: Path) -> None:
        """A disk whose superblock is gone, and which gives an error where e2fsck looks for the copies."""
        image = tmp_path / "raw"
        image.write_bytes(b"")
        os.truncate(image, 256 * MIB)
        assert filesystems.check(str(image), FileSystemKind.EXT4) is CheckVerdict.BEYOND_REPAIR
        failing = failing_sectors(image, tmp_path / "disk", [8193 * 2, 32768 * 8])
        with failing as node, pytest.raises(DeviceFault, match="cannot read: Input/output error"):
            filesystems.check(str(node), FileSystemKind.EXT4)


@contextmanager
def failing_sectors(image: Path, node: Path, sectors: list[int]) -> Iterator[Path]:
    """The same as a file that gives EIO where one of these sectors is read."""
    node.touch()
    errors = [{"event": "read_aio", "sector": sector, "errno": errno.EIO} for sector in sectors]
    file = {"driver": "file", "filename": str(image)}
    faulty = {"driver": "blkdebug", "image": file, "inject-error": errors}
    block = {"driver": "raw", "node-name": "disk", "file": faulty}
    export = f"fuse,id=export,node-name=disk,mountpoint={node},writable=on"
    argv = ["qemu-storage-daemon", "--blockdev", json.dumps(block), "--export", export]
    with subprocess.Popen(argv) as daemon:
        try:
            deadline = time.monotonic() + 30
            while not node.stat().st_size:
                assert daemon.poll() is None
                assert time.monotonic() < deadline
            yield node
        finally:
            daemon.terminate()
