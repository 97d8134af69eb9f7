"""The disks that must not be written now: inputs of the domain's rule, read from this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gprov.apps.unit.boot.boot_entries import boot_variables
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boot_partition import booted_partition_guid, find_partition
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.targets import excluded_disks
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.firmware import Firmware


def current_excluded_disks(
    ports: VolumePorts, disks: Sequence[Disk], recovery: Volume | None, bus: EventBus
) -> Mapping[DeviceNumber, str]:
    """The reason of exclusion by device number. ``recovery``: None if it was not found, or does not exist yet."""
    return excluded_disks(disks, ports.mounts.mounted(), recovery, _booted_from(disks, ports.firmware(), bus))


def _booted_from(disks: Sequence[Disk], firmware: Firmware, bus: EventBus) -> DeviceNumber | None:
    try:
        guid = booted_partition_guid(boot_variables(firmware, bus))
    except DeviceFault as fault:
        bus.warning(f"cannot determine the disk that this boot was started from: {fault}")
        return None
    return find_partition(disks, guid)
