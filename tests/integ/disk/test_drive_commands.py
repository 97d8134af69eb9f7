"""What is checked before a command goes to a drive, with loop devices of this machine (which accept no commands)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.drive_commands import IoctlDriveCommands, IoctlDriveQueries
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import NoReply, ScsiCommand
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.scsi.commands import inquiry

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
INQUIRY = ScsiCommand(inquiry(36), 36)
pytestmark = pytest.mark.device


@pytest.fixture
def commands() -> IoctlDriveCommands:
    return IoctlDriveCommands(include_loop=True)


def test_a_device_without_scsi_commands_gives_no_reply(make_disk: MakeDisk, commands: IoctlDriveCommands) -> None:
    disk = make_disk(64 * MIB)
    assert isinstance(commands.scsi(disk, INQUIRY), NoReply)
    assert isinstance(IoctlDriveQueries().scsi(disk, INQUIRY), NoReply)


def test_another_disk_under_the_same_number_is_refused(make_disk: MakeDisk, commands: IoctlDriveCommands) -> None:
    disk = replace(make_disk(64 * MIB), serial="another")
    for call in (lambda: commands.scsi(disk, INQUIRY), lambda: commands.reread(disk)):
        with pytest.raises(DeviceFault, match="is another disk by now"):
            call()


def test_another_device_number_is_refused(make_disk: MakeDisk, commands: IoctlDriveCommands) -> None:
    disk = replace(make_disk(64 * MIB), device=DeviceNumber(250, 250))
    with pytest.raises(DeviceFault, match="expected that of the selected disk"):
        commands.scsi(disk, INQUIRY)
    reply = IoctlDriveQueries().scsi(disk, INQUIRY)
    assert isinstance(reply, NoReply)
    assert "expected that of the selected disk" in reply.reason


def test_a_mounted_disk_is_refused(
    make_disk: MakeDisk, commands: IoctlDriveCommands, tool: Tool, tmp_path: Path
) -> None:
    disk = make_disk(64 * MIB)
    tool("mkfs.ext4", "-q", disk.node)
    tool("mount", disk.node, str(tmp_path))
    try:
        with pytest.raises(DeviceFault, match="in use"):
            commands.scsi(disk, INQUIRY)
    finally:
        tool("umount", str(tmp_path))


def test_a_reread_forgets_what_the_kernel_has_cached(
    make_disk: MakeDisk, commands: IoctlDriveCommands, tool: Tool
) -> None:
    disk = make_disk(64 * MIB)
    with open(disk.node, "rb") as device:
        assert device.read(4096) == bytes(4096)
        backing = Path(tool("losetup", "-n", "-O", "BACK-FILE", disk.node).strip())
        with open(backing, "r+b") as file:
            file.write(b"changed by the drive itself".ljust(4096))
        os.sync()
    commands.reread(disk)
    with open(disk.node, "rb") as device:
        assert device.read(7) == b"changed"


def test_a_reread_removes_partitions(
    make_disk: MakeDisk, commands: IoctlDriveCommands, blocks: SysfsBlockDevices, tool: Tool
) -> None:
    disk = make_disk(64 * MIB)
    tool("sfdisk", "-q", "--no-reread", disk.node, stdin="label: gpt\nsize=10MiB\n")
    tool("partx", "--add", disk.node)
    assert next(found for found in blocks.disks() if found.node == disk.node).partitions
    tool("sfdisk", "-q", "--no-reread", "--delete", disk.node)
    commands.reread(disk)
    assert not next(found for found in blocks.disks() if found.node == disk.node).partitions
