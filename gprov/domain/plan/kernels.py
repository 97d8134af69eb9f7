"""Where a unit's kernels are, and which of two replaces the other."""

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
    """Paths of RECOVERY's two copies, while RECOVERY (and the ESP) are mounted. ``main`` is what firmware or boot
    loader start, ``second`` what they turn to if that is damaged."""

    main: str
    second: str


def kernel_paths(firmware: FirmwareKind, mount_points: MountPoints, branding: Branding) -> KernelPaths:
    """UEFI: on the ESP, the second is the fallback loader. BIOS: on RECOVERY itself."""
    if firmware is FirmwareKind.UEFI:
        return KernelPaths(f"{mount_points.esp}/{branding.boot_kernel}", f"{mount_points.esp}/{FALLBACK_LOADER}")
    root = mount_points.recovery
    return KernelPaths(f"{root}/{branding.boot_kernel}", f"{root}/{second_kernel(branding)}")


def image_kernel(image: VerifiedImage) -> KernelFacts:
    """The kernel that the image brings. Raises BadInput if it has none, or what is there is none."""
    return parse_bzimage(image.files.kernel_start or b"")


def plan_kernels(
    from_image: str, copies: KernelPaths, winner: Comparison, main: KernelFacts | None, second: KernelFacts | None
) -> list[Operation]:
    """``winner``: the image's kernel is the first. ``main``, ``second``: the copies as they are, None if unusable. At
    each instant one of the two is whole: FAT may lose a file that is being replaced, and a boot loader not find it.

    A volume that is full or worn out keeps its old kernel, as long as it has one: a unit with that is better than none.
    """
    required = main is None and second is None
    if winner is Comparison.FIRST:
        targets = (copies.second, copies.main) if main is not None else (copies.main, copies.second)
        return [CopyKernel(from_image, targets, required)]
    into_image = [CopyFile(copies.main, from_image)] if winner is Comparison.SECOND else []
    repair = [CopyKernel(copies.main, (copies.second,), required)] if second is None else []
    return [*into_image, *repair]
