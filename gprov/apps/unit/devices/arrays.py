"""What volumes say of software RAID: the arrays that their members tell of, and the volumes on those that run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.arrays import FoundArray, Member, RunningArray, found_arrays
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER
from gprov.domain.disk.targets import detachable
from gprov.domain.errors import BadInput, DeviceFault
from gprov.ports.arrays import Arrays
from gprov.ports.block import BlockDevices


def arrays_told_of(arrays: Arrays, volumes: Iterable[Volume], bus: EventBus) -> tuple[FoundArray, ...]:
    """The arrays of these volumes that do not run. Members on disks that anybody may plug in do not count."""
    running = {array.uuid for array in arrays.running()}
    members: list[Member] = []
    for volume in volumes:
        if volume.contents.kind != RAID_MEMBER or detachable(volume.disk):
            continue
        try:
            record = arrays.examine(volume.node)
        except (DeviceFault, BadInput) as error:
            bus.warning(str(error))
            continue
        if record is not None and record.array not in running:
            members.append(
                Member(
                    disk=volume.disk, partition=volume.partition, node=volume.node, device=volume.device, record=record
                )
            )
    return found_arrays(members)


def array_volumes(arrays: Arrays, blocks: BlockDevices, disks: Sequence[Disk], bus: EventBus) -> tuple[Volume, ...]:
    """What the running arrays on these disks hold. One that cannot be read is reported and left out."""
    found: list[Volume] = []
    for array in arrays.running():
        below = disks_of(array, disks)
        if not below:
            continue
        try:
            contents = blocks.contents(array.node)
        except DeviceFault as fault:
            bus.warning(f"cannot see what {array.node} holds: {fault}")
            continue
        found.append(
            Volume(
                disk=below[0],
                node=array.node,
                device=array.device,
                contents=contents,
                array=array.uuid,
                others=below[1:],
            )
        )
    return tuple(found)


def disks_of(array: RunningArray, disks: Iterable[Disk]) -> tuple[Disk, ...]:
    """Those of these disks that the array has a member on."""
    return tuple(disk for disk in disks if array.members & disk.devices)


def retire_arrays(arrays: Arrays, blocks: BlockDevices, disks: Sequence[Disk], bus: EventBus) -> None:
    """Stop what runs on these disks, and let its members and all others on them forget their arrays. Raises DeviceFault
    (in use), ToolFailed. What cannot be read is left to whoever clears the disk."""
    chosen = {disk.device for disk in disks}
    now = tuple(disk for disk in blocks.disks() if disk.device in chosen)
    for array in arrays.running():
        if disks_of(array, now):
            bus.log(f"stopping {array.node} ({array.uuid})")
            arrays.stop(array)
    members = [volume.node for volume in volumes_of(blocks, now, bus) if volume.contents.kind == RAID_MEMBER]
    if members:
        arrays.forget(members)
