"""DiskWriter port: patterns and blocks written past the page cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.linux.disk.raw_device import OpenDevice, RawDevice, aligned_buffer, raw_device
from gprov.adapters.linux.disk.transfer import BLOCK, Progress, Transfer, remaining
from gprov.adapters.linux.disk.whole_disk import exclusive, forget, problem, unchanged
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.pattern_buffer import PatternBuffer
from gprov.domain.erase.patterns import Pattern
from gprov.domain.errors import DeviceFault, InternalError
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock
from gprov.ports.destructive.disk_writer import DiskWriter, WriteOutcome
from gprov.ports.drives import BytesDone

# GPT: protective MBR, header and 32 sectors of entries.
TABLE_SECTORS = 34
# One request of the kernel for a whole large disk could not be interrupted.
_DISCARD = 64 << 30


class LinuxDiskWriter(DiskWriter):
    """``blocks``: states which disks are there now. ``open_device``: opens a disk; another one for fault injection."""

    def __init__(self, blocks: BlockDevices, clock: Clock, open_device: OpenDevice = raw_device) -> None:
        self._blocks = blocks
        self._clock = clock
        self._open_device = open_device

    @override
    def overwrite(self, disk: Disk, extent: Extent, pattern: Pattern, progress: BytesDone) -> WriteOutcome:
        with self._opened(disk, extent) as device:
            buffer = aligned_buffer(BLOCK)
            view, content = memoryview(buffer), PatternBuffer(pattern, buffer)

            def step(offset: int, size: int) -> int:
                place = offset % BLOCK
                content.fill(offset - place)
                return device.write(view[place : place + size], offset)

            transfer = Transfer(device, disk.size, lambda: problem(self._blocks, disk), step)
            throttled = Progress(self._clock, progress)
            transfer.run((extent,), throttled)
            outcome = _outcome(device, extent, transfer)
        throttled.final(transfer.reached)
        return outcome

    @override
    def write(self, disk: Disk, offset: int, content: bytes) -> None:
        extent = Extent(offset, offset + len(content))
        with self._opened(disk, extent) as device:
            view = memoryview(aligned_buffer(max(len(content), 1)))
            view[: len(content)] = content
            try:
                done = 0
                while done < len(content) and (part := device.write(view[done : len(content)], offset + done)):
                    done += part
                device.flush()
            except OSError as exc:
                raise fault_from_oserror(disk.node, f"cannot write {extent.describe()}", exc) from exc
            if done < len(content):
                raise DeviceFault(disk.node, f"cannot write {extent.describe()}: the device ends at {offset + done}")

    @override
    def discard(self, disk: Disk, extent: Extent) -> None:
        with self._opened(disk, extent) as device:
            try:
                for start in range(extent.start, extent.end, _DISCARD):
                    device.discard(start, min(_DISCARD, extent.end - start))
                device.flush()
            except OSError as exc:
                raise fault_from_oserror(disk.node, f"cannot discard {extent.describe()}", exc) from exc

    @contextmanager
    def _opened(self, disk: Disk, extent: Extent) -> Iterator[RawDevice]:
        """Partitions whose table is about to be lost are removed from the kernel: a mount through a stale list would
        otherwise be possible meanwhile."""
        if extent.start % disk.sector_size or extent.size % disk.sector_size or not 0 <= extent.start < extent.end:
            raise InternalError(f"{disk.node}: {extent.describe()} are not whole sectors")
        if extent.end > disk.size:
            raise DeviceFault(disk.node, f"{extent.describe()} are not on the disk: it has {disk.size} bytes")
        if extent.start < TABLE_SECTORS * disk.sector_size:
            with exclusive(disk) as fd:
                for part in unchanged(self._blocks, disk).partitions:
                    forget(disk, fd, part.number, self._clock)
        with self._open_device(disk, os.O_RDWR | os.O_EXCL) as device:
            unchanged(self._blocks, disk)
            yield device


def _outcome(device: RawDevice, extent: Extent, transfer: Transfer) -> WriteOutcome:
    transfer.finish()
    unwritten = merged((*transfer.bad, *remaining((extent,), transfer.reached)))
    try:
        device.flush()
    except OSError as exc:
        # Which of the accepted blocks were lost is not stated: none counts.
        error = f"cannot flush: {os.strerror(exc.errno) if exc.errno else exc}"
        return WriteOutcome(written=0, unwritten=(extent,), error=f"{transfer.error}; {error}".removeprefix("; "))
    return WriteOutcome(written=extent.size - total_size(unwritten), unwritten=unwritten, error=transfer.error)
