"""Volumes of disks, found by superblock probes, and waiting for devices."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk, Partition, Volume
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock, Deadline

# Some changes send no event, for example a medium that becomes ready. Scan again after this time in any case.
RESCAN_SECONDS = 5.0


def volumes_of(blocks: BlockDevices, disks: tuple[Disk, ...], bus: EventBus) -> tuple[Volume, ...]:
    """Probe every partition, and every disk without partitions. An unreadable device is reported and left out."""
    found: list[Volume] = []
    for disk in disks:
        devices: list[tuple[str, DeviceNumber, Partition | None]]
        devices = [(part.node, part.device, part) for part in disk.partitions]
        for node, device, partition in devices or [(disk.node, disk.device, None)]:
            try:
                contents = blocks.contents(node)
                found.append(Volume(disk=disk, node=node, device=device, contents=contents, partition=partition))
            except DeviceFault as fault:
                bus.warning(f"cannot see what {node} holds: {fault}")
    return tuple(found)


def wait_for(
    blocks: BlockDevices, clock: Clock, seconds: float, ready: Callable[[], bool], *, deadline: Deadline | None = None
) -> bool:
    """Call ``ready`` now and after each block-device event, until it returns True or ``seconds`` have passed."""
    if ready():
        return True
    end = deadline or Deadline(clock, seconds)
    with blocks.changes() as changes:
        # Call it again: a device that appeared between the first call and the subscription sends no event.
        while not ready():
            if end.passed:
                return False
            changes.wait(min(end.remaining, RESCAN_SECONDS))
    return True
