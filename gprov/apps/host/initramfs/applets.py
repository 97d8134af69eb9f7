"""Makes the applets of a program with many names (busybox) commands of an initramfs."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gprov.apps.host.initramfs.cpio import symlink
from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.initramfs.parts import Part, PartKind
from gprov.apps.host.initramfs.rootfs import RootTree
from gprov.apps.host.initramfs.sources import HOST, SourceSystem
from gprov.domain.errors import BadInput, Problem
from gprov.ports.process import Processes

_FOLDER = "usr/bin"
_PROGRAM_FOLDERS = ("usr/sbin", _FOLDER)


def add_applets(tree: RootTree, processes: Processes, program: str, system: SourceSystem = HOST) -> None:
    """Add a link to ``program`` for each of its applets, except where the tree has a program of that name.

    Call it when all other programs were added. ``program``: of the host, prints the names of its applets with
    ``--list``, one a line; in another system, which may not run here, they are the links to it. Raises ToolMissing,
    ToolFailed, BadInput if the tree does not hold the program.
    """
    if not tree.has(f"{_FOLDER}/{program}"):
        raise BadInput("initramfs", [Problem("applets", f"{program} is none of the programs in /{_FOLDER}")])
    for name in _listed(processes, program) if system.is_host else _links(system, program):
        if not any(tree.has(f"{folder}/{name}") for folder in _PROGRAM_FOLDERS):
            tree.add(symlink(f"{_FOLDER}/{name}", program), Part(PartKind.APPLETS, program))


def _listed(processes: Processes, program: str) -> Iterable[str]:
    return processes.run((program, "--list")).output.decode().split()


def _links(system: SourceSystem, program: str) -> Iterable[str]:
    file = system.locate(f"/{_FOLDER}/{program}")
    names: set[str] = set()
    for folder in _PROGRAM_FOLDERS:
        place = os.path.join(system.root, folder)
        with os_errors_translated(place):
            present = os.listdir(place)
        names |= {name for name in present if name != program and system.locate(f"/{folder}/{name}") == file}
    return sorted(names)
