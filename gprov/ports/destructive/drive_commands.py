"""Commands by which drives erase themselves."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply


class DriveCommands(Protocol):
    """Both methods raise DeviceFault, without sending anything, if the device number of ``disk`` now belongs to another
    disk, or if the disk is in use (mounted, held by an array or mapping, swap)."""

    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        """Send a command and wait for its end."""

    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        """Send an admin command to the controller of this namespace and wait for its end."""

    def reread(self, disk: Disk) -> None:
        """Make the kernel forget cached contents and partitions of a disk that erased itself. Raises DeviceFault."""
