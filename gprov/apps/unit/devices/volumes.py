"""Which volumes are there: every partition (or unpartitioned disk) with what a superblock probe found on it."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk, Partition, Volume
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock, Deadline

# Without any event a device may still change state unseen (a medium that becomes ready): look again this often.
RESCAN_SECONDS = 5.0


def volumes_of(blocks: BlockDevices, disks: tuple[Disk, ...], bus: EventBus) -> tuple[Volume, ...]:
    """Probe every partition, and disks without any. One that cannot be read is reported and left out."""
    found: list[Volume] = []
    for disk in disks:
        places: list[tuple[str, DeviceNumber, Partition | None]]
        places = [(part.node, part.device, part) for part in disk.partitions]
        for node, device, partition in places or [(disk.node, disk.device, None)]:
            try:
                found.append(
                    Volume(disk=disk, node=node, device=device, contents=blocks.contents(node), partition=partition)
                )
            except DeviceFault as fault:
                bus.warning(f"cannot see what {node} holds: {fault}")
    return tuple(found)


def wait_for(
    blocks: BlockDevices, clock: Clock, seconds: float, ready: Callable[[], bool], *, deadline: Deadline | None = None
) -> bool:
    """Call ``ready`` now and after each block-device event, until it says True or ``seconds`` have passed."""
    if ready():
        return True
    end = deadline or Deadline(clock, seconds)
    with blocks.changes() as changes:
        # Once more: what appeared between the first look and the subscription sends no event any more.
        while not ready():
            if end.passed:
                return False
            changes.wait(min(end.remaining, RESCAN_SECONDS))
    return True
