"""Units that start provisioning over the network, by firmware, with unusual disks: so fewer units are made."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.machine import DiskBus
from gprov.domain.boot.firmware import FirmwareKind

NETBOOTED = {
    FirmwareKind.UEFI: replace(unit_spec("nvme"), netboot=True, tls=True),
    FirmwareKind.BIOS: replace(
        unit_spec("huge", FirmwareKind.BIOS), primaries=(DiskBus.VIRTIO,), netboot=True, tls=True
    ),
}
