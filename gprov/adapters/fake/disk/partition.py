"""Partition tables of the simulated machine."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import TABLE_BYTES, FakeDisk, FakeMember, FakeVolume
from gprov.adapters.fake.machine.writes import raise_write_fault, refuse_member, refuse_protected
from gprov.domain.boot.grub.install import Loader, core_location, loader_writes
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Stamped
from gprov.domain.errors import DeviceFault
from gprov.ports.destructive.partitioner import Partitioner


class FakePartitioner(Partitioner):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def clear(self, disk: Disk, head: int, tail: int) -> None:
        self._machine.begin_write(f"clear {disk.node}")
        fake = self._unchanged(disk)
        self._refuse_mounted(disk)
        refuse_protected(fake)
        # The first sector is cleared and flushed first: without it, neither a BIOS nor a kernel uses what follows it.
        fake.forget_partitions()
        fake.media.put(Extent(0, TABLE_BYTES), Fill(0))
        fake.writes += 1
        kept = {
            start: found for start, found in fake.old_contents.items() if head <= start < max(head, disk.size - tail)
        }
        fake.clearing = frozenset(fake.old_contents) - frozenset(kept)
        self._machine.begin_write(f"clear {disk.node}: under way")
        raise_write_fault(self._machine, fake, f"clear {disk.node}")
        fake.old_contents, fake.clearing = kept, frozenset()
        for start, end in ((0, min(head, fake.size)), (max(0, fake.size - tail), fake.size)):
            if start < end:
                fake.media.put(Extent(start, end), Fill(0))

    @override
    def write(self, disk: Disk, table: PartitionTable, loader: Loader | None = None) -> Disk:
        self._machine.begin_write(f"partition {disk.node}")
        fake = self._unchanged(disk)
        self._refuse_mounted(disk)
        refuse_protected(fake)
        fake.forget_partitions()
        fake.writes += 1
        self._machine.begin_write(f"partition {disk.node}: under way")
        raise_write_fault(self._machine, fake, f"partition {disk.node}")
        fake.table = table
        fake.media.put(Extent(0, TABLE_BYTES), Stamped(f"former table {fake.writes}"))
        if loader is not None:
            fake.areas = {
                write.offset: write.content for write in loader_writes(loader, bytes(512), core_location(table))
            }
        for part in table.partitions:
            made = self._machine.new_partition(part.number, part.start, part.size, part.label)
            found = fake.old_contents.pop(part.start, None)
            made.volume = found if isinstance(found, FakeVolume) else None
            made.member = found if isinstance(found, FakeMember) else None
            fake.partitions.append(made)
        return next(found for found in described(self._machine) if found.device == disk.device)

    def _unchanged(self, disk: Disk) -> FakeDisk:
        fake = self._machine.disk(disk.device)
        present = described(self._machine)
        now = next(found for found in present if found.device == disk.device)
        if problem := disk.exchanged(now, present):
            raise DeviceFault(disk.node, problem)
        return fake

    def _refuse_mounted(self, disk: Disk) -> None:
        volumes = self._machine.disk(disk.device).volumes()
        for mount in self._machine.mounts:
            if any(mount.volume is volume for volume in volumes):
                raise DeviceFault(disk.node, f"a partition is mounted at {mount.point.target}")
        for part in self._machine.disk(disk.device).partitions:
            refuse_member(self._machine, disk.node, part)
