"""Makes the Linux adapters of the ports of an erase, each imported at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.ports.block import BlockDevices
    from gprov.ports.clock import Clock
    from gprov.ports.destructive.disk_writer import DiskWriter
    from gprov.ports.destructive.drive_commands import DriveCommands
    from gprov.ports.drives import DiskReader, DriveQueries, UnreadyDrives


def drive_queries() -> DriveQueries:
    from gprov.adapters.linux.disk.drive_commands import IoctlDriveQueries

    return IoctlDriveQueries()


def drive_commands() -> DriveCommands:
    from gprov.adapters.linux.disk.drive_commands import IoctlDriveCommands

    return IoctlDriveCommands()


def unready_drives() -> UnreadyDrives:
    from gprov.adapters.linux.disk.unready_drives import ScsiUnreadyDrives

    return ScsiUnreadyDrives()


def disk_writer(*, blocks: BlockDevices, clock: Clock) -> DiskWriter:
    from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter

    return LinuxDiskWriter(blocks, clock)


def disk_reader(*, blocks: BlockDevices, clock: Clock) -> DiskReader:
    from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader

    return LinuxDiskReader(blocks, clock)
