"""Questions to drives, and reading of whole disks. Nothing here changes a disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Pattern

# Called now and then with the number of bytes completed so far. It may raise to stop the work.
BytesDone = Callable[[int], None]


class DriveQueries(Protocol):
    """Commands that only read. Anything that is not on the adapter's list of such commands raises InternalError."""

    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        """Send a command and wait for its end."""

    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        """Send an admin command to the controller of this namespace and wait for its end."""


@dataclass(frozen=True, slots=True)
class BusyDrive:
    """``name``: for people. ``done``: fraction, None if the drive states none."""

    name: str
    done: float | None


class UnreadyDrives(Protocol):
    """Drives that ``BlockDevices`` does not list, since the kernel has no capacity of them."""

    def sanitizing(self) -> tuple[BusyDrive, ...]:
        """Those that carry out a sanitize operation. A drive whose operation has ended is listed by ``BlockDevices``
        from then on. Raises DeviceFault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``examined``: bytes that were read. ``different``: ranges with other contents; ``unreadable``: with read errors.
    ``error``: why the comparison ended early, "" if it did not; ranges that were not reached are then in neither."""

    examined: int
    different: tuple[Extent, ...] = ()
    unreadable: tuple[Extent, ...] = ()
    error: str = ""


class DiskReader(Protocol):
    def compare(self, disk: Disk, extents: tuple[Extent, ...], pattern: Pattern, progress: BytesDone) -> Comparison:
        """Read ranges from the medium, not from a cache, and compare them with a pattern. Ranges are multiples of the
        sector size. Read errors and differences are returned, in units of at least one sector; never raises
        DeviceFault."""

    def read(self, disk: Disk, extent: Extent) -> bytes:
        """Read one range (at most some MiB) from the medium. Raises DeviceFault."""

    def size(self, disk: Disk) -> int:
        """The present size in bytes, asked from the kernel again. Raises DeviceFault."""
