"""Arrays of a simulated machine: those that superblocks on its disks describe, and those that run."""

from __future__ import annotations

from collections.abc import Container, Iterable

from gprov.adapters.fake.machine.storage import FakeArray, FakeDisk, FakePartition, RunningFakeArray


def arrays_on(disks: Iterable[FakeDisk]) -> tuple[FakeArray, ...]:
    """Arrays that have a superblock on at least one partition of these disks, sorted by UUID."""
    found = {
        part.member.array.uuid: part.member.array
        for disk in disks
        for part in disk.partitions
        if part.member is not None
    }
    return tuple(found[uuid] for uuid in sorted(found))


def array_with_member(running: Iterable[RunningFakeArray], part: FakePartition) -> RunningFakeArray | None:
    """Return the running array of which this partition is a member, or None."""
    return next((one for one in running if _has(one.members, part)), None)


def note_array_write(running: Iterable[RunningFakeArray], part: FakePartition, present: Container[str]) -> None:
    """Record a write to the array whose device is ``part``: members that are not in ``present`` (UUIDs of partitions)
    are out of date from now on. Other partitions: no effect."""
    for one in running:
        if one.array.device is part:
            one.record(present)


def mark_below(disks: Iterable[FakeDisk], running: Iterable[RunningFakeArray], part: FakePartition, name: str) -> bool:
    """Fill the media below the members of the array whose device is ``part`` with a content that stands for ``name``.
    Returns whether ``part`` is the device of a running array."""
    members = next((one.members for one in running if one.array.device is part), None)
    if members is None:
        return False
    for disk in disks:
        for member in disk.partitions:
            if _has(members, member):
                disk.mark(member, f"{name} {disk.name}")
    return True


def _has(parts: Iterable[FakePartition], part: FakePartition) -> bool:
    """By identity: equal partitions of two disks are not the same."""
    return any(one is part for one in parts)
