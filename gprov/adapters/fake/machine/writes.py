"""Writes of the simulated machine: refused writes, and writes that store only a part."""

from __future__ import annotations

from dataclasses import replace
from errno import EBUSY, EIO, ENOSPC, EROFS

from gprov.adapters.fake.machine.faults import FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import ResolvedPath, require_attached
from gprov.adapters.fake.machine.running_arrays import array_with_member
from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition, FakeVolume, Node
from gprov.domain.errors import DeviceFault

# Index in ``unflushed``: neither the old nor the new contents.
_IN_PART = 1


def store(machine: SimulatedMachine, volume: FakeVolume, inner: str, node: Node, operation: str) -> None:
    """Write a file. Raises DeviceFault if only a part was stored and the medium reports it; that part stays."""
    spoilt = None if volume.in_memory else machine.take_write_fault(operation)
    if spoilt is FaultKind.SHORT:
        volume.write(inner, replace(node, content=node.content[: len(node.content) // 2]))
        raise DeviceFault(operation, "only a part was stored: no space left on device", errno=ENOSPC)
    volume.write(inner, node)
    if spoilt is FaultKind.SILENT:
        volume.failing.add(inner)


def flush(machine: SimulatedMachine, place: ResolvedPath, inner: str) -> None:
    """fsync(2) of a file. Raises DeviceFault if the disk was detached or some data could not be stored."""
    require_attached(machine, place)
    if not place.volume.flush_file(inner):
        raise DeviceFault(place.path, "cannot flush: input/output error", errno=EIO)


def raise_write_fault(
    machine: SimulatedMachine, disk: FakeDisk, operation: str, part: FakePartition | None = None
) -> None:
    """Check a write to a disk, or to the first blocks of a ``part``, that is flushed at once. After a write fault the
    written structure is not valid. Raises DeviceFault, also if the disk was detached."""
    if disk.detached:
        raise DeviceFault(disk.node, "input/output error: the disk was detached", errno=EIO)
    if machine.take_write_fault(operation) is not None:
        if part is not None and part.unflushed:
            part.volume, part.member = part.unflushed[_IN_PART]
            part.unflushed = ()
        raise DeviceFault(disk.node, f"{operation}: only a part was stored", errno=EIO)


def refuse_member(machine: SimulatedMachine, node: str, part: FakePartition) -> None:
    """Raise DeviceFault for a member of a running array."""
    running = array_with_member(machine.running, part)
    if running is not None:
        raise DeviceFault(node, f"is in use by {running.node}", errno=EBUSY)


def refuse_protected(disk: FakeDisk) -> None:
    """Raise DeviceFault for a write-protected disk."""
    if disk.write_protected:
        raise DeviceFault(disk.node, "is write-protected", errno=EROFS)
