"""Plans kernel updates: paths of the two copies on RECOVERY, and which kernel replaces which."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import second_kernel
from gprov.domain.branding import Branding
from gprov.domain.formats.bzimage import Comparison, KernelFacts, parse_bzimage
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.file_operations import CopyFile, CopyKernel
from gprov.domain.plan.operations import Operation

FALLBACK_LOADER = "EFI/BOOT/BOOTX64.EFI"


@dataclass(frozen=True, slots=True)
class KernelPaths:
    """Paths of RECOVERY's two kernels while RECOVERY (and the ESP) are mounted. Firmware or boot loader start ``main``,
    or ``second`` if ``main`` is damaged."""

    main: str
    second: str


def kernel_paths(firmware: FirmwareKind, mount_points: MountPoints, branding: Branding) -> KernelPaths:
    """UEFI: on the ESP, where the second copy is the fallback loader. BIOS: on RECOVERY itself."""
    if firmware is FirmwareKind.UEFI:
        return KernelPaths(f"{mount_points.esp}/{branding.boot_kernel}", f"{mount_points.esp}/{FALLBACK_LOADER}")
    root = mount_points.recovery
    return KernelPaths(f"{root}/{branding.boot_kernel}", f"{root}/{second_kernel(branding)}")


def image_kernel(image: VerifiedImage) -> KernelFacts:
    """The kernel in the image. Raises BadInput if it is missing or not a bzImage."""
    return parse_bzimage(image.files.kernel_start or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentKernels:
    """RECOVERY's two copies, None if unusable. ``secure_boot``: it is on, so that the firmware may refuse a kernel.
    ``main_started``: the firmware has started this boot from ``main``. ``doubted``: there are intact ones, and the
    check of Secure Boot refuses all of them, although the firmware has started one: the check lacks something."""

    main: KernelFacts | None
    second: KernelFacts | None
    secure_boot: bool = False
    main_started: bool = False
    doubted: bool = False

    @property
    def missing(self) -> bool:
        """Is a unit without a new kernel one that cannot start?"""
        return self.main is None and self.second is None and not self.doubted


def plan_kernels(from_image: str, copies: KernelPaths, newer: Comparison, present: PresentKernels) -> list[Operation]:
    """``newer``: comparison of the image's kernel (first) with RECOVERY's (second). One of the two copies is intact at
    all times, since a power cut can lose a file on FAT during its replacement.

    The update is optional if RECOVERY has a usable kernel: on a full or worn volume that kernel stays.
    """
    main, second = present.main, present.second
    required = present.missing
    if newer is Comparison.SECOND and main is None:
        return [CopyKernel(copies.second, (copies.main,), required=False), CopyFile(copies.second, from_image)]
    if present.secure_boot and not required:
        return _plan_under_secure_boot(from_image, copies, newer, present)
    if newer is Comparison.FIRST:
        targets = (copies.second, copies.main) if main is not None else (copies.main, copies.second)
        return [CopyKernel(from_image, targets, required)]
    into_image = [CopyFile(copies.main, from_image)] if newer is Comparison.SECOND else []
    repair = [CopyKernel(copies.main, (copies.second,), required)] if second is None else []
    return [*into_image, *repair]


def _plan_under_secure_boot(
    from_image: str, copies: KernelPaths, newer: Comparison, present: PresentKernels
) -> list[Operation]:
    """Only one copy is replaced by a kernel that this firmware has not started yet: should it refuse that one, whatever
    was checked, the other starts the unit. ``second`` gets what has started the unit from ``main``."""
    main, second = present.main, present.second
    into_image = [CopyFile(copies.main, from_image)] if newer is Comparison.SECOND else []
    proven = main is not None and (second is None or (present.main_started and main != second))
    keep = [CopyKernel(copies.main, (copies.second,), required=False)] if proven else []
    update = [CopyKernel(from_image, (copies.main,), required=False)] if newer is Comparison.FIRST else []
    return [*into_image, *keep, *update]
