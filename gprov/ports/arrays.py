"""Software RAID arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gprov.domain.disk.arrays import RunningArray
from gprov.domain.disk.arrayspec import ArraySpec
from gprov.domain.formats.disk.md_superblock import MemberRecord


class Arrays(Protocol):
    """Nothing is assembled but by ``create`` and ``assemble``: the kernel and other programs leave arrays alone."""

    def examine(self, node: str) -> MemberRecord | None:
        """What a device file says of the array that it is a member of; None if it says nothing.

        Raises DeviceFault, BadInput (a damaged superblock).
        """

    def running(self) -> tuple[RunningArray, ...]:
        """What is assembled now, by device file."""

    def create(self, spec: ArraySpec, nodes: Sequence[str]) -> RunningArray:
        """Make a new array of these partitions, in the order of its slots, whatever they held, and start it.

        The first synchronisation waits until the array is assembled again. Raises DeviceFault, ToolFailed.
        """

    def assemble(self, uuid: str, nodes: Sequence[str]) -> RunningArray:
        """Start the array of these members, without those that are missing. Nothing is written to the members before
        something is written to the array. Raises DeviceFault, ToolFailed; then nothing of it is left running.
        """

    def stop(self, array: RunningArray) -> None:
        """Flush and take it apart. Raises DeviceFault (in use), ToolFailed."""

    def forget(self, nodes: Sequence[str]) -> None:
        """Overwrite the superblocks of these members, durably and as nearly at once as can be. Raises DeviceFault (in
        use)."""
