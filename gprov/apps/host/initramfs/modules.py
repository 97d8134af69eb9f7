"""Installs the modules of a kernel into a folder that belongs to this kernel alone: ``usr/lib/modules/RELEASE``."""

from __future__ import annotations

import os

from gprov.apps.host.initramfs.hostfiles import fresh_folder, os_errors_translated
from gprov.domain.errors import IntegrityFault
from gprov.ports.process import Processes

_SECONDS = 900.0
MODULES_FOLDER = "usr/lib/modules"
# Links to the folders of the build, which the unit does not have.
_BUILD_LINKS = ("build", "source")


def install_modules(processes: Processes, tree: str, target: str) -> None:
    """``tree``: folder of the finished build; ``target``: becomes the root of the installed files. Debugging symbols
    are left out. Raises ToolFailed, IntegrityFault (modules of several releases, or no index: depmod failed)."""
    usr = os.path.join(fresh_folder(target), "usr")
    command = ("make", "-s", "-C", tree, f"INSTALL_MOD_PATH={usr}", "INSTALL_MOD_STRIP=1", "modules_install")
    processes.run(command, timeout=_SECONDS)
    folder = os.path.join(target, MODULES_FOLDER, release_of(target))
    for name in _BUILD_LINKS:
        path = os.path.join(folder, name)
        with os_errors_translated(path):
            if os.path.islink(path):
                os.unlink(path)
    if not os.path.isfile(os.path.join(folder, "modules.dep")):
        raise IntegrityFault(folder, "has no index modules.dep: depmod of the package kmod did not run")


def release_of(root: str) -> str:
    """The release of the modules below ``root``."""
    folder = os.path.join(root, MODULES_FOLDER)
    with os_errors_translated(folder):
        releases = sorted(os.listdir(folder))
    if len(releases) != 1:
        raise IntegrityFault(folder, f"must hold modules of one kernel, holds {', '.join(releases) or 'none'}")
    return releases[0]
