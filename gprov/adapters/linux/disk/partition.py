"""Partitioner port: tables through libparted, old metadata overwritten with zeros.

libparted updates the kernel's partitions one by one (BLKPG), which needs neither a partition parser in the kernel nor a
rescan; devtmpfs creates the nodes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.linux.disk.whole_disk import exclusive, forget, unchanged
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.boot.grub.install import SECTOR, BlockWrite, Loader, core_location, loader_writes
from gprov.domain.disk.layout import MIB, PartitionTable, TableKind
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeadlineExceeded, DeviceMissing
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock, Deadline
from gprov.ports.destructive.partitioner import Partitioner

if TYPE_CHECKING:
    from gprov.adapters.linux.disk.parted_table import StagedTable

_CHUNK = 4 * MIB
_FIRST = 4096  # one sector, of either size


class PartedPartitioner(Partitioner):
    """``blocks``: reports when the partitions exist; ``node_seconds``: timeout for their device nodes."""

    def __init__(self, blocks: BlockDevices, clock: Clock, node_seconds: float = 30.0) -> None:
        self._blocks = blocks
        self._clock = clock
        self._node_seconds = node_seconds

    @override
    def clear(self, disk: Disk, head: int, tail: int) -> None:
        with exclusive(disk) as fd:
            now = unchanged(self._blocks, disk)
            # Before the table is cleared: a partition in use fails the call while nothing is lost.
            for part in now.partitions:
                forget(disk, fd, part.number, self._clock)
            try:
                size = os.lseek(fd, 0, os.SEEK_END)
                start_of_tail = max(0, size - tail)
                # The first sector before all others: a BIOS starts the code after its signature, and a table of partly
                # cleared partitions is worse than none.
                _zero(fd, 0, min(_FIRST, head, size))
                os.fsync(fd)
                _zero(fd, 0, min(head, size))
                _zero(fd, max(start_of_tail, min(head, size)), size)
                os.fsync(fd)
            except OSError as exc:
                raise fault_from_oserror(disk.node, "cannot clear", exc) from exc

    @override
    def write(self, disk: Disk, table: PartitionTable, loader: Loader | None = None) -> Disk:
        from gprov.adapters.linux.disk.parted_table import announce_table, staged_table, write_table

        with self._blocks.changes() as changes:
            # Open while libparted works, so that no partition can be mounted meanwhile.
            with exclusive(disk) as fd:
                unchanged(self._blocks, disk)
                if loader is None:
                    write_table(disk, table)
                else:
                    _write_bootable(fd, disk, bootable_blocks(disk, table, staged_table(disk, table), loader))
                    announce_table(disk)
                try:
                    os.fsync(fd)
                except OSError as exc:
                    raise fault_from_oserror(disk.node, "cannot flush the partition table", exc) from exc
            deadline = Deadline(self._clock, self._node_seconds)
            while (written := self._written(disk, table)) is None:
                if deadline.passed:
                    raise DeadlineExceeded(f"{disk.node}: device nodes of the new partitions", self._node_seconds)
                changes.wait(deadline.remaining)
            return written

    def _written(self, disk: Disk, table: PartitionTable) -> Disk | None:
        """The disk's current state if it has exactly the planned partitions and a node for each, else None."""
        now = next((found for found in self._blocks.disks() if found.device == disk.device), None)
        if now is None:
            raise DeviceMissing(disk.node, "was removed while its partition table was written")
        planned = [(part.number, part.start, part.size) for part in table.partitions]
        if [(part.number, part.start, part.size) for part in now.partitions] != planned:
            return None
        return now if all(os.path.exists(part.node) for part in now.partitions) else None


def bootable_blocks(disk: Disk, table: PartitionTable, staged: StagedTable, loader: Loader) -> list[BlockWrite]:
    """Loader and table in the order in which they must reach the disk. A BIOS takes a disk for startable if its first
    sector bears a signature: that sector goes first, and comes back last."""
    core, first = loader_writes(loader, staged.head[:SECTOR], core_location(table))
    blocks = [BlockWrite(0, bytes(SECTOR)), core]
    if table.kind is TableKind.GPT:
        blocks += [BlockWrite(disk.size - len(staged.tail), staged.tail), BlockWrite(SECTOR, staged.head[SECTOR:])]
    return [*blocks, first]


def _write_bootable(fd: int, disk: Disk, blocks: list[BlockWrite]) -> None:
    try:
        for block in blocks:
            rest, offset = memoryview(block.content), block.offset
            while rest:
                done = os.pwrite(fd, rest, offset)
                rest, offset = rest[done:], offset + done
            os.fsync(fd)
    except OSError as exc:
        raise fault_from_oserror(disk.node, "cannot write partition table and boot loader", exc) from exc


def _zero(fd: int, start: int, end: int) -> None:
    zeros = memoryview(bytes(_CHUNK))
    while start < end:
        start += os.pwrite(fd, zeros[: min(_CHUNK, end - start)], start)
