"""DiskWriter and DiskReader of the simulated machine."""

from __future__ import annotations

from errno import EIO

from typing_extensions import override

from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.media import common, without
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.adapters.fake.machine.writes import refuse_member, refuse_protected
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.patterns import Fill, Pattern
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.destructive.disk_writer import DiskWriter, WriteOutcome
from gprov.ports.drives import BytesDone, Comparison, DiskReader

# Faults and power cuts happen between this many parts of a pass.
_STAGES = 8


class FakeWholeDisks(DiskWriter, DiskReader):
    """``rate``: bytes per simulated second."""

    def __init__(self, machine: SimulatedMachine, rate: float = 1e9) -> None:
        self._machine = machine
        self._rate = rate

    @override
    def overwrite(self, disk: Disk, extent: Extent, pattern: Pattern, progress: BytesDone) -> WriteOutcome:
        fake = self._writable(disk, f"overwrite {disk.node}", extent)
        done = 0
        for part in _stages(extent):
            try:
                self._machine.begin_write(f"overwrite {disk.node}: under way")
                self._require_present(fake)
            except DeviceFault as fault:
                unwritten = merged((*_shared(extent, fake.media.unwritable), Extent(part.start, extent.end)))
                return WriteOutcome(
                    written=extent.size - total_size(unwritten), unwritten=unwritten, error=fault.sentence
                )
            fake.lose(part)
            for one in without((part,), fake.media.unwritable):
                fake.media.put(one, pattern, flushed=False)
            self._machine.clock.advance(part.size / self._rate)
            done += part.size
            progress(done)
        try:
            self._machine.begin_write(f"flush {disk.node}")
            self._require_present(fake)
        except DeviceFault as fault:
            return WriteOutcome(written=0, unwritten=(extent,), error=fault.sentence)
        fake.media.flush()
        unwritten = _shared(extent, fake.media.unwritable)
        return WriteOutcome(written=extent.size - total_size(unwritten), unwritten=unwritten)

    @override
    def write(self, disk: Disk, offset: int, content: bytes) -> None:
        extent = Extent(offset, offset + len(content))
        fake = self._writable(disk, f"write blocks {disk.node}", extent)
        if _shared(extent, fake.media.unwritable):
            raise DeviceFault(disk.node, f"cannot write {extent.describe()}: input/output error", errno=EIO)
        fake.lose(extent)
        fake.media.put(extent, content, flushed=False)
        self._machine.begin_write(f"flush {disk.node}")
        self._require_present(fake)
        fake.media.flush()

    @override
    def discard(self, disk: Disk, extent: Extent) -> None:
        fake = self._writable(disk, f"discard {disk.node}", extent)
        fake.lose(extent)
        fake.media.put(extent, Fill(0))

    @override
    def compare(self, disk: Disk, extents: tuple[Extent, ...], pattern: Pattern, progress: BytesDone) -> Comparison:
        done = 0
        different: list[Extent] = []
        unreadable: list[Extent] = []
        for part in (stage for extent in merged(extents) for stage in _stages(extent)):
            try:
                fake = self._readable(disk, f"compare {disk.node}", part)
            except DeviceFault as fault:
                bad = merged(unreadable)
                return Comparison(
                    examined=done - total_size(bad),
                    different=merged(different),
                    unreadable=bad,
                    error=fault.sentence,
                )
            for one in without((part,), fake.media.unreadable):
                different += fake.media.different(one, pattern)
            unreadable += _shared(part, fake.media.unreadable)
            self._machine.clock.advance(part.size / self._rate)
            done += part.size
            progress(done)
        bad = merged(unreadable)
        return Comparison(examined=done - total_size(bad), different=merged(different), unreadable=bad)

    @override
    def read(self, disk: Disk, extent: Extent) -> bytes:
        fake = self._readable(disk, f"read blocks {disk.node}", extent)
        if _shared(extent, fake.media.unreadable):
            raise DeviceFault(disk.node, f"cannot read {extent.describe()}: input/output error", errno=EIO)
        return fake.media.read(extent)

    @override
    def size(self, disk: Disk) -> int:
        self._machine.begin_read(f"size {disk.node}")
        return self._machine.disk(disk.device).size

    def _readable(self, disk: Disk, operation: str, extent: Extent) -> FakeDisk:
        self._machine.begin_read(operation)
        return self._selected(disk, extent)

    def _writable(self, disk: Disk, operation: str, extent: Extent) -> FakeDisk:
        self._machine.begin_write(operation)
        fake = self._selected(disk, extent)
        volumes = fake.volumes()
        for mount in self._machine.mounts:
            if any(mount.volume is volume for volume in volumes):
                raise DeviceFault(disk.node, f"is in use: a partition is mounted at {mount.point.target}")
        for part in fake.partitions:
            refuse_member(self._machine, disk.node, part)
        refuse_protected(fake)
        fake.writes += 1
        return fake

    def _selected(self, disk: Disk, extent: Extent) -> FakeDisk:
        fake = self._machine.disk(disk.device)
        present = described(self._machine)
        now = next((found for found in present if found.device == disk.device), None)
        if now is None:
            raise DeviceMissing(disk.node, "was removed")
        if problem := disk.exchanged(now, present):
            raise DeviceFault(disk.node, problem)
        if fake.scsi_drive is not None and not fake.scsi_drive.has_media:
            raise DeviceFault(disk.node, f"{extent.describe()}: input/output error", errno=EIO)
        if extent.end > fake.size:
            raise DeviceFault(disk.node, f"{extent.describe()} are not on the disk: it has {fake.size} bytes")
        return fake

    def _require_present(self, fake: FakeDisk) -> None:
        if fake.detached:
            raise DeviceMissing(fake.node, "was removed")


def _stages(extent: Extent) -> tuple[Extent, ...]:
    """Parts of a range, at multiples of 1 MiB, so that a small one is a single part."""
    step = max(1 << 20, -(-extent.size // _STAGES >> 20) << 20)
    return tuple(Extent(at, min(extent.end, at + step)) for at in range(extent.start, extent.end, step))


def _shared(extent: Extent, others: tuple[Extent, ...]) -> tuple[Extent, ...]:
    return merged(found for one in others if (found := common(extent, one)))
