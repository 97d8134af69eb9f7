"""Hardware profiles of lab units: their disks and platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.apps.host.lab.machine import TIB, DiskBus
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.errors import BadInput, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareProfile:
    """``suffix``: appended to the platform names ``QEMU-mfg-test`` and ``mfg_test``. Sizes in bytes."""

    description: str
    primaries: tuple[DiskBus, ...]
    suffix: str = ""
    primary_size: int = 20 * GIB
    recovery: DiskBus = DiskBus.USB


# By name on the command line. The bus of the data disks does not change the platform.
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
    "small": HardwareProfile(
        description="one AHCI disk of 1 GiB", primaries=(DiskBus.AHCI,), suffix="small", primary_size=GIB
    ),
    "smallraid1": HardwareProfile(
        description="two AHCI disks of 1 GiB, RAID 1",
        primaries=(DiskBus.AHCI,) * 2,
        suffix="smallraid1",
        primary_size=GIB,
    ),
}


def unit_spec(name: str, firmware: FirmwareKind = FirmwareKind.UEFI, serial: str = "") -> VirtualUnitSpec:
    """Return the specification of a unit with this profile. ``serial``: "" for the default."""
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
    return _of_platform(spec, profile.suffix)


def with_bmc(spec: VirtualUnitSpec) -> VirtualUnitSpec:
    """The same unit with a management controller. Raises BadInput if no platform of the default table is that."""
    plain = VirtualUnitSpec()
    if spec.code_name != plain.code_name:
        raise BadInput("virtual unit", [Problem("management controller", f"no platform like {spec.code_name} has one")])
    return replace(_of_platform(spec, "ipmi"), bmc=True)


def _of_platform(spec: VirtualUnitSpec, suffix: str) -> VirtualUnitSpec:
    plain = VirtualUnitSpec()
    names = (f"{plain.code_name}-{suffix}", f"{plain.product}_{suffix}")
    return replace(spec, code_name=names[0], product=names[1])
