"""The ports with which a disk is erased. Only this room and the composition make use of them."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.ports.clock import Clock
from gprov.ports.destructive.disk_writer import DiskWriter
from gprov.ports.destructive.drive_commands import DriveCommands
from gprov.ports.drives import DiskReader


@dataclass(frozen=True, kw_only=True)
class ErasurePorts:
    commands: DriveCommands
    writer: DiskWriter
    reader: DiskReader
    clock: Clock
