"""The disks that nothing may be written to now, with all that this machine tells about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gprov.apps.unit.boot.boot_entries import boot_variables
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.origin import partition_with, started_partition
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.targets import excluded_disks
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.filesystem import Mounts
from gprov.ports.firmware import Firmware


def untouchable(
    disks: Sequence[Disk], mounts: Mounts, firmware: Firmware, recovery: Volume | None, bus: EventBus
) -> Mapping[DeviceNumber, str]:
    """By device number, with the reason. ``recovery``: None if it is not known, or only about to be made."""
    return excluded_disks(disks, mounts.mounted(), recovery, _booted_from(disks, firmware, bus))


def _booted_from(disks: Sequence[Disk], firmware: Firmware, bus: EventBus) -> DeviceNumber | None:
    try:
        guid = started_partition(boot_variables(firmware, bus))
    except DeviceFault as fault:
        bus.warning(f"cannot tell where this start came from: {fault}")
        return None
    return partition_with(disks, guid)
