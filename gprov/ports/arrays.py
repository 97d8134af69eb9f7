"""Software RAID arrays: reading superblocks, assembling, stopping. Creating is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gprov.domain.disk.arrays import RunningArray
from gprov.domain.formats.disk.md_superblock import MemberRecord


class Arrays(Protocol):
    """Arrays are started by ``assemble`` and by creating them only, not by the kernel or another program."""

    def examine(self, node: str) -> MemberRecord | None:
        """Read the RAID superblock of a device. Return None if there is none.

        Raises DeviceFault, BadInput (damaged superblock).
        """

    def running(self) -> tuple[RunningArray, ...]:
        """The running arrays, sorted by device file."""

    def assemble(self, uuid: str, nodes: Sequence[str]) -> RunningArray:
        """Start the array with these members, without missing ones. Members are not written before the first write to
        the array. Raises DeviceFault, ToolFailed; the array is then not running.
        """

    def stop(self, array: RunningArray) -> None:
        """Flush and stop an array. Raises DeviceFault (in use), ToolFailed."""
