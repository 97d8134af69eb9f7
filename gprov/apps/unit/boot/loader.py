"""The boot loader for disks of BIOS units, which the build puts into this initramfs."""

from __future__ import annotations

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import Loader
from gprov.ports.files import Files

# Written by the build: gprov/apps/host/initramfs/grub.py.
LOADER_FOLDER = "/usr/lib/gprov/grub"
BOOT_IMAGE = f"{LOADER_FOLDER}/boot.img"
CORE_IMAGE = f"{LOADER_FOLDER}/core.img"


def installable_loader(files: Files, firmware: FirmwareKind) -> Loader | None:
    """None on UEFI, whose firmware starts kernels without a loader. Raises DeviceMissing."""
    if firmware is not FirmwareKind.BIOS:
        return None
    return Loader(files.read(BOOT_IMAGE), files.read(CORE_IMAGE))
