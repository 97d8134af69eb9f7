"""Dismantling the arrays on disks that are about to be overwritten."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.arrays import disks_of
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.disk.rootspec import RAID_MEMBER
from gprov.ports.destructive.array_writer import ArrayWriter


def dismantle_arrays(ports: VolumePorts, writer: ArrayWriter, disks: Sequence[Disk], bus: EventBus) -> None:
    """Stop the arrays that run on these disks, and erase the superblocks of all array members on these disks. Raises
    DeviceFault (in use), ToolFailed. A volume that cannot be read is skipped: clearing its disk comes later."""
    arrays, chosen = ports.arrays(), {disk.device for disk in disks}
    current = tuple(disk for disk in ports.blocks.disks() if disk.device in chosen)
    for array in arrays.running():
        if disks_of(array, current):
            bus.log(f"stopping {array.node} ({array.uuid})")
            arrays.stop(array)
    members = [volume.node for volume in volumes_of(ports.blocks, current, bus) if volume.contents.kind == RAID_MEMBER]
    if members:
        writer.zero_superblocks(members)
