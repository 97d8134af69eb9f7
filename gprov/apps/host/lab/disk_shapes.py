"""Hardware profiles of lab units: their disks and platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.machine import TIB, DiskBus
from gprov.apps.host.lab.nics import NICS
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


def with_secure_boot(spec: VirtualUnitSpec) -> VirtualUnitSpec:
    """The same unit with firmware that starts only what is signed. Raises BadInput."""
    if spec.firmware is not FirmwareKind.UEFI:
        raise BadInput("virtual unit", [Problem("Secure Boot", "BIOS has none")])
    if spec.netboot:
        raise BadInput("virtual unit", [Problem("Secure Boot", "Debian's iPXE is not signed: no network boot")])
    return replace(spec, secure_boot=True)


def with_controllers(
    spec: VirtualUnitSpec, data: DiskBus | None = None, recovery: DiskBus | None = None
) -> VirtualUnitSpec:
    """The same unit with its data disks, or RECOVERY, on another controller; None: as before. Raises BadInput with each
    reason why gprov or the firmware cannot handle such a unit."""
    problems: list[Problem] = []
    if data is not None:
        spec = replace(spec, primaries=(data,) * len(spec.primaries))
        if CONTROLLERS[data].removable:
            reason = f"{data.value}: such disks are removable, gprov makes RECOVERY on them only"
            problems.append(Problem("controller of the data disks", reason))
    if recovery is not None and recovery is not spec.recovery_bus:
        if spec.code_name != VirtualUnitSpec().code_name:
            reason = f"no platform like {spec.code_name} has RECOVERY on another one"
            problems.append(Problem("controller of RECOVERY", reason))
        # The usual platform has RECOVERY on USB, whatever the kind of device.
        spec = replace(spec if recovery is DiskBus.UAS else _of_platform(spec, "internal"), recovery_bus=recovery)
    problems += _unstartable(spec)
    if problems:
        raise BadInput("virtual unit", problems)
    return spec


def with_nic(spec: VirtualUnitSpec, model: str) -> VirtualUnitSpec:
    """The same unit with another network interface; ``model`` is a key of ``NICS``. Raises BadInput if its firmware
    could not boot from it, but has to."""
    if spec.netboot and not NICS[model].rom:
        raise BadInput("virtual unit", [Problem("network interface", f"{model}: has no option ROM for network boot")])
    return replace(spec, nic=model)


def _unstartable(spec: VirtualUnitSpec) -> list[Problem]:
    """Firmware starts a unit from RECOVERY."""
    firmware, bus = spec.firmware, spec.recovery_bus
    name = {FirmwareKind.UEFI: "OVMF", FirmwareKind.BIOS: "SeaBIOS"}[firmware]
    if firmware not in CONTROLLERS[bus].starts:
        return [Problem("controller of RECOVERY", f"{bus.value}: {name} cannot start from it")]
    if bus is DiskBus.SDHCI and firmware is FirmwareKind.BIOS and set(spec.primaries) != {DiskBus.NVME}:
        # QEMU has no boot index for a card. Without, SeaBIOS sorts disks by kind, with NVMe behind cards.
        reason = f"sdhci: SeaBIOS starts from it only beside data disks on {DiskBus.NVME.value}"
        return [Problem("controller of RECOVERY", reason)]
    return []


def _of_platform(spec: VirtualUnitSpec, suffix: str) -> VirtualUnitSpec:
    plain = VirtualUnitSpec()
    names = (f"{plain.code_name}-{suffix}", f"{plain.product}_{suffix}")
    return replace(spec, code_name=names[0], product=names[1])
