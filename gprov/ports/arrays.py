"""Software RAID arrays: reading superblocks, assembling, stopping. Creating is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gprov.domain.disk.arrays import RunningArray
from gprov.domain.formats.disk.md_superblock import MemberRecord


class Arrays(Protocol):
    """Only ``assemble`` (and creating an array) starts arrays: neither the kernel nor another program does."""

    def examine(self, node: str) -> MemberRecord | None:
        """The RAID superblock of a device; None if it has none.

        Raises DeviceFault, BadInput (a damaged superblock).
        """

    def running(self) -> tuple[RunningArray, ...]:
        """The assembled arrays, by device file."""

    def assemble(self, uuid: str, nodes: Sequence[str]) -> RunningArray:
        """Start the array of these members, without those that are missing. Nothing is written to the members before
        something is written to the array. Raises DeviceFault, ToolFailed; then nothing of it is left running.
        """

    def stop(self, array: RunningArray) -> None:
        """Flush and stop it. Raises DeviceFault (in use), ToolFailed."""
