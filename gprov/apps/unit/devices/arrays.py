"""Software RAID arrays: inactive ones, found through their members, and the volumes on running ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.arrays import FoundArray, Member, RunningArray, found_arrays
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER
from gprov.domain.disk.targets import removable_reason
from gprov.domain.errors import BadInput, DeviceFault
from gprov.ports.arrays import Arrays
from gprov.ports.block import BlockDevices


def find_inactive_arrays(arrays: Arrays, volumes: Iterable[Volume], bus: EventBus) -> tuple[FoundArray, ...]:
    """The arrays that have members among these volumes and are not assembled. Members on removable disks are ignored:
    any person can plug in such a disk."""
    running = {array.uuid for array in arrays.running()}
    members: list[Member] = []
    for volume in volumes:
        if volume.contents.kind != RAID_MEMBER or removable_reason(volume.disk):
            continue
        try:
            record = arrays.examine(volume.node)
        except (DeviceFault, BadInput) as error:
            bus.warning(str(error))
            continue
        if record is not None and record.array not in running:
            members.append(
                Member(
                    disk=volume.disk,
                    partition=volume.partition,
                    node=volume.node,
                    device=volume.device,
                    record=record,
                )
            )
    return found_arrays(members)


def array_volumes(arrays: Arrays, blocks: BlockDevices, disks: Sequence[Disk], bus: EventBus) -> tuple[Volume, ...]:
    """The volumes on running arrays that have members on these disks. An unreadable array is reported and left out."""
    found: list[Volume] = []
    for array in arrays.running():
        member_disks = disks_of(array, disks)
        if not member_disks:
            continue
        try:
            contents = blocks.contents(array.node)
        except DeviceFault as fault:
            bus.warning(f"cannot see what {array.node} holds: {fault}")
            continue
        first, *others = member_disks
        found.append(
            Volume(
                disk=first,
                node=array.node,
                device=array.device,
                contents=contents,
                array=array.uuid,
                others=tuple(others),
            )
        )
    return tuple(found)


def disks_of(array: RunningArray, disks: Iterable[Disk]) -> tuple[Disk, ...]:
    """Those of these disks that hold a member of the array."""
    return tuple(disk for disk in disks if array.members & disk.devices)
