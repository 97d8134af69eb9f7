"""Makes GRUB for disks of BIOS units: the distribution's boot.img, and a core image with gprov's script inside.

Units write these files to disks (gprov.domain.boot.grub) and do not run GRUB's tools. Making them takes a fraction of
a second, so they are not cached.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Mapping, Sequence

from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.initramfs.sources import GRUB_FOLDER
from gprov.apps.unit.boot.loader import BOOT_IMAGE, CORE_IMAGE
from gprov.domain.boot.grub.install import SECTOR, Loader, check_files
from gprov.domain.boot.grub.menus import core_script
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import MIB
from gprov.domain.errors import BadInput, DeviceMissing, Problem, ToolMissing
from gprov.ports.process import Processes

_PLATFORM = "i386-pc"
_MAKER = "grub-mkimage"
_SECONDS = 60.0
# The core image must fit between the first sector and the first partition, and into a BIOS boot partition.
MAX_CORE = MIB - SECTOR


def loader_files(
    processes: Processes, modules: Sequence[str], branding: Branding, folder: str = GRUB_FOLDER
) -> Mapping[str, bytes]:
    """Return the content by path in the initramfs. ``folder``: with GRUB's modules. Raises ToolMissing, DeviceMissing
    (with the package to install), ToolFailed."""
    loader = make_loader(processes, modules, branding, folder)
    return {BOOT_IMAGE: loader.boot, CORE_IMAGE: loader.core}


def make_loader(processes: Processes, modules: Sequence[str], branding: Branding, folder: str = GRUB_FOLDER) -> Loader:
    """Make both images. ``modules``: of GRUB; their dependencies are added. Raises as ``loader_files``."""
    if processes.which(_MAKER) is None:
        raise ToolMissing(_MAKER, "apt-get install grub-common")
    boot = os.path.join(folder, "boot.img")
    if not os.path.exists(boot):
        raise DeviceMissing(boot, "not installed; apt-get install grub-pc-bin")
    with tempfile.TemporaryDirectory(prefix="gprov-grub-") as scratch:
        disk, core = os.path.join(scratch, "disk.tar"), os.path.join(scratch, "core.img")
        write_file(disk, memory_disk(core_script(branding)))
        command = (_MAKER, "--format", _PLATFORM, "--directory", folder, "--memdisk", disk)
        # --prefix after --memdisk, which also sets a prefix.
        processes.run((*command, "--prefix", "(memdisk)/", "--output", core, *modules), timeout=_SECONDS)
        loader = Loader(read_file(boot), read_file(core))
    check_files(loader)
    if len(loader.core) > MAX_CORE:
        raise BadInput(
            _MAKER,
            [
                Problem(
                    "core.img",
                    f"has {len(loader.core)} bytes, limit {MAX_CORE}; remove modules from loader in initramfs.toml",
                )
            ],
        )
    return loader


def memory_disk(script: str) -> bytes:
    """Return a tar archive with the script as grub.cfg; the same text gives the same bytes."""
    content = script.encode()
    info = tarfile.TarInfo("grub.cfg")
    info.size = len(content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(content))
    return archive.getvalue()
