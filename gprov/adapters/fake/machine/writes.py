"""Writes of the simulated machine: which are refused, and which store less than they are given."""

from __future__ import annotations

from dataclasses import replace
from errno import EBUSY, EIO, ENOSPC, EROFS

from gprov.adapters.fake.machine.faults import FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import ResolvedPath, require_attached
from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition, FakeVolume, Node
from gprov.domain.errors import DeviceFault

# Of what may be found on a partition while its first blocks are written: neither the old nor the new.
_IN_PART = 1


def store(machine: SimulatedMachine, volume: FakeVolume, inner: str, node: Node, operation: str) -> None:
    """Write a file. Raises DeviceFault if only a part of it was stored and the medium says so; that part stays."""
    spoilt = None if volume.in_memory else machine.take_write_fault(operation)
    if spoilt is FaultKind.SHORT:
        volume.write(inner, replace(node, content=node.content[: len(node.content) // 2]))
        raise DeviceFault(operation, "stored in part only: no space left on device", errno=ENOSPC)
    volume.write(inner, node)
    if spoilt is FaultKind.SILENT:
        volume.failing.add(inner)


def flush(machine: SimulatedMachine, place: ResolvedPath, inner: str) -> None:
    """fsync(2) of a file. Raises DeviceFault if the disk is gone, or some of its data could not be stored."""
    require_attached(machine, place)
    if not place.volume.flush_file(inner):
        raise DeviceFault(place.path, "cannot flush: input/output error", errno=EIO)


def raise_write_fault(
    machine: SimulatedMachine, disk: FakeDisk, operation: str, part: FakePartition | None = None
) -> None:
    """For what is written to a disk, or the first blocks of a ``part`` of it, and flushed at once: of a write that
    stores less, nothing that counts is there. Raises DeviceFault, also if the disk went meanwhile."""
    if disk.detached:
        raise DeviceFault(disk.node, "input/output error: it is gone", errno=EIO)
    if machine.take_write_fault(operation) is not None:
        if part is not None and part.unflushed:
            part.volume, part.member = part.unflushed[_IN_PART]
            part.unflushed = ()
        raise DeviceFault(disk.node, f"{operation}: stored in part only", errno=EIO)


def refuse_member(machine: SimulatedMachine, node: str, part: FakePartition) -> None:
    """Raises DeviceFault for a member of an array that runs."""
    running = machine.array_with_member(part)
    if running is not None:
        raise DeviceFault(node, f"is in use by {running.node}", errno=EBUSY)


def refuse_protected(disk: FakeDisk) -> None:
    """Raises DeviceFault for a disk that takes no writes any more."""
    if disk.write_protected:
        raise DeviceFault(disk.node, "is write-protected", errno=EROFS)
