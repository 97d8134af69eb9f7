"""Disks, partitions and volumes of a simulated machine, found by number, device file or label."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition, FakeVolume, RunningFakeArray
from gprov.domain.errors import DeviceMissing
from gprov.domain.formats.disk.device_number import DeviceNumber


def disk_with(disks: Iterable[FakeDisk], device: DeviceNumber) -> FakeDisk:
    """Raises DeviceMissing."""
    for disk in disks:
        if disk.device == device:
            return disk
    raise DeviceMissing(str(device), "no such disk")


def partition_at(
    disks: Iterable[FakeDisk], running: Iterable[RunningFakeArray], node: str
) -> tuple[FakeDisk, FakePartition]:
    """Return a partition or array with its disk; for an array, the first of ``disks`` that has a member. Raises
    DeviceMissing."""
    arrays = [one for one in running if one.node == node]
    for disk in disks:
        for part in disk.partitions:
            if node == f"/dev/{disk.partition_name(part.number)}":
                return disk, part
            for one in arrays:
                if any(part is member for member in one.members):
                    return disk, one.array.device
    raise DeviceMissing(node, "No such device or address")


def volume_labelled(volumes: Iterable[FakeVolume], label: str) -> FakeVolume:
    """Raises DeviceMissing."""
    for volume in volumes:
        if volume.label == label:
            return volume
    raise DeviceMissing(label, "no volume has this label")
