"""DiskReader port: the medium, read past the page cache and compared with a pattern."""

from __future__ import annotations

import os
from collections.abc import Iterator

from typing_extensions import override

from gprov.adapters.linux.disk.raw_device import OpenDevice, RawDevice, aligned_buffer, raw_device
from gprov.adapters.linux.disk.read_ahead import read_ahead
from gprov.adapters.linux.disk.transfer import BLOCK, Progress, Transfer, blocks
from gprov.adapters.linux.disk.whole_disk import problem, unchanged
from gprov.adapters.linux.ioctl.libc import Memory
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.pattern_buffer import PatternBuffer
from gprov.domain.erase.patterns import Pattern
from gprov.domain.errors import DeviceFault
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock
from gprov.ports.drives import BytesDone, Comparison, DiskReader

# Differences are searched for in parts of this size before single sectors are compared.
_PART = 64 << 10
MOST_RANGES = 10_000


class LinuxDiskReader(DiskReader):
    """``blocks``: states which disks are there now. ``open_device``: opens a disk; another one for fault injection."""

    def __init__(self, blocks: BlockDevices, clock: Clock, open_device: OpenDevice = raw_device) -> None:
        self._blocks = blocks
        self._clock = clock
        self._open_device = open_device

    @override
    def compare(self, disk: Disk, extents: tuple[Extent, ...], pattern: Pattern, progress: BytesDone) -> Comparison:
        wanted = merged(extents)
        try:
            with self._open_device(disk, os.O_RDONLY) as device:
                unchanged(self._blocks, disk)
                return self._compared(disk, device, wanted, pattern, Progress(self._clock, progress))
        except DeviceFault as fault:
            return Comparison(examined=0, error=fault.sentence)

    def _compared(
        self, disk: Disk, device: RawDevice, wanted: tuple[Extent, ...], pattern: Pattern, progress: Progress
    ) -> Comparison:
        content = bytearray(BLOCK)
        expected, memory = PatternBuffer(pattern, content), Memory(content)
        different: list[Extent] = []

        def step(offset: int, size: int) -> int:
            done = ahead.read(offset, size)
            place = offset % BLOCK
            expected.fill(offset - place)
            if not memory.equals(ahead.buffer.memory, place, done):
                for start in _different(content, ahead.buffer.view, range(place, place + done, disk.sector_size)):
                    _append(different, Extent(offset - place + start, offset - place + start + disk.sector_size))
                if len(different) > MOST_RANGES:
                    transfer.stop(f"given up at byte {offset + done}: more than {MOST_RANGES} ranges differ")
            return done

        transfer = Transfer(device, disk.size, lambda: problem(self._blocks, disk), step)
        with read_ahead(device, lambda: blocks(wanted)) as ahead:
            transfer.run(wanted, progress)
        transfer.finish()
        progress.final(transfer.reached)
        return Comparison(
            examined=transfer.reached - total_size(transfer.bad),
            different=tuple(different),
            unreadable=merged(transfer.bad),
            error=transfer.error,
        )

    @override
    def read(self, disk: Disk, extent: Extent) -> bytes:
        start = extent.start - extent.start % disk.sector_size
        size = -(-(extent.end - start) // disk.sector_size) * disk.sector_size
        with self._open_device(disk, os.O_RDONLY) as device:
            unchanged(self._blocks, disk)
            view = memoryview(aligned_buffer(max(size, 1)))
            try:
                done = 0
                while done < size and (part := device.read(view[done:size], start + done)):
                    done += part
            except OSError as exc:
                raise fault_from_oserror(disk.node, f"cannot read {extent.describe()}", exc) from exc
        if start + done < extent.end:
            raise DeviceFault(disk.node, f"cannot read {extent.describe()}: the device ends at {start + done}")
        return bytes(view[extent.start - start : extent.end - start])

    @override
    def size(self, disk: Disk) -> int:
        with self._open_device(disk, os.O_RDONLY) as device:
            try:
                return device.size()
            except OSError as exc:
                raise fault_from_oserror(disk.node, "cannot ask for the size", exc) from exc


def _different(content: bytearray, buffer: memoryview, places: range) -> Iterator[int]:
    """Places of sectors that differ. Both are compared in larger parts first. (A bytearray is compared with a buffer by
    memcmp, a memoryview byte by byte.)"""
    sector = places.step
    per_part = _PART // sector
    for number in range(0, len(places), per_part):
        part = places[number : number + per_part]
        if content[part.start : part[-1] + sector] != buffer[part.start : part[-1] + sector]:
            yield from (at for at in part if content[at : at + sector] != buffer[at : at + sector])


def _append(extents: list[Extent], extent: Extent) -> None:
    if extents and extents[-1].end == extent.start:
        extents[-1] = Extent(extents[-1].start, extent.end)
    else:
        extents.append(extent)
