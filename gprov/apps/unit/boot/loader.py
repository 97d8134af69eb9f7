"""The boot loader that this initramfs holds for disks of BIOS units."""

from __future__ import annotations

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import Loader
from gprov.ports.files import Files

# Where the build puts them (gprov/apps/host/initramfs/grub.py).
LOADER_FOLDER = "/usr/lib/gprov/grub"
BOOT_IMAGE = f"{LOADER_FOLDER}/boot.img"
CORE_IMAGE = f"{LOADER_FOLDER}/core.img"


def installable_loader(files: Files, firmware: FirmwareKind) -> Loader | None:
    """None on UEFI, which starts kernels itself. Raises DeviceMissing."""
    if firmware is not FirmwareKind.BIOS:
        return None
    return Loader(files.read(BOOT_IMAGE), files.read(CORE_IMAGE))
