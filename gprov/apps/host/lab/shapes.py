"""The rows of the lab's matrix: which disks a unit has, and which platform that is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.apps.host.lab.machine import TIB, DiskBus
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareProfile:
    """``suffix``: what the names of its platform have more than ``QEMU-mfg-test`` and ``mfg_test``. Bytes."""

    description: str
    primaries: tuple[DiskBus, ...]
    suffix: str = ""
    primary_size: int = 20 * GIB
    recovery: DiskBus = DiskBus.USB


# By the name that the command line has for it. Buses of data disks make no platform: one is like the other.
SHAPES = {
    "sata": HardwareProfile(description="one AHCI disk", primaries=(DiskBus.AHCI,)),
    "nvme": HardwareProfile(description="one NVMe disk", primaries=(DiskBus.NVME,)),
    "virtio": HardwareProfile(description="one virtio-blk disk", primaries=(DiskBus.VIRTIO,)),
    "raid1": HardwareProfile(description="two AHCI disks, RAID 1", primaries=(DiskBus.AHCI,) * 2, suffix="raid1"),
    "raid5": HardwareProfile(description="three AHCI disks, RAID 5", primaries=(DiskBus.AHCI,) * 3, suffix="raid5"),
    "huge": HardwareProfile(
        description="one AHCI disk of 3 TiB (sparse)", primaries=(DiskBus.AHCI,), suffix="huge", primary_size=3 * TIB
    ),
    "dom": HardwareProfile(
        description="one AHCI disk, and RECOVERY on AHCI too",
        primaries=(DiskBus.AHCI,),
        suffix="dom",
        recovery=DiskBus.AHCI,
    ),
}


def unit_spec(name: str, firmware: FirmwareKind = FirmwareKind.UEFI, serial: str = "") -> VirtualUnitSpec:
    """A unit of the shape with this name. ``serial``: "" for the usual one."""
    profile, plain = SHAPES[name], VirtualUnitSpec()
    spec = replace(
        plain,
        serial=serial or plain.serial,
        firmware=firmware,
        primaries=profile.primaries,
        primary_size=profile.primary_size,
        recovery_bus=profile.recovery,
    )
    if not profile.suffix:
        return spec
    names = (f"{plain.code_name}-{profile.suffix}", f"{plain.product}_{profile.suffix}")
    return replace(spec, code_name=names[0], product=names[1])
