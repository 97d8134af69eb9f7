"""Overwriting whole disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Pattern
from gprov.ports.drives import BytesDone


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutcome:
    """``written``: bytes that the drive accepted and flushed. ``unwritten``: ranges with write errors. ``error``: why
    the pass ended early, "" if it did not; ranges that were not reached are part of ``unwritten``."""

    written: int
    unwritten: tuple[Extent, ...] = ()
    error: str = ""


class DiskWriter(Protocol):
    """Each method raises DeviceFault, without writing, if the device number of ``disk`` now belongs to another disk, or
    if the disk is in use (mounted, held by an array or mapping, swap)."""

    def overwrite(self, disk: Disk, extent: Extent, pattern: Pattern, progress: BytesDone) -> WriteOutcome:
        """Write a pattern to a range, past the page cache, and flush the drive's cache. A range of the medium that
        cannot be written is skipped and returned; a drive that is gone ends the pass."""

    def write(self, disk: Disk, offset: int, content: bytes) -> None:
        """Write whole sectors and flush the drive's cache. Raises DeviceFault."""

    def discard(self, disk: Disk, extent: Extent) -> None:
        """Discard a range (BLKDISCARD). Raises DeviceFault (also: not supported)."""
