"""Creating software RAID arrays, and erasing the superblocks of array members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gprov.domain.disk.arrays import RunningArray
from gprov.domain.disk.arrayspec import ArraySpec


class ArrayWriter(Protocol):
    def create(self, spec: ArraySpec, nodes: Sequence[str]) -> RunningArray:
        """Create an array on these partitions, in the order of its slots, and start it. Their contents are lost.

        The first synchronisation waits until the array is assembled again. Raises DeviceFault, ToolFailed.
        """

    def zero_superblocks(self, nodes: Sequence[str]) -> None:
        """Overwrite the superblocks of these members and flush. All are written before any is flushed, so that a power
        cut is unlikely to leave only some of them. Raises DeviceFault (in use)."""
