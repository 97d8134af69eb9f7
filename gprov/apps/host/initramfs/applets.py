"""Makes the applets of a program with many names (busybox) commands of an initramfs."""

from __future__ import annotations

from gprov.apps.host.initramfs.cpio import symlink
from gprov.apps.host.initramfs.parts import Part, PartKind
from gprov.apps.host.initramfs.rootfs import RootTree
from gprov.domain.errors import BadInput, Problem
from gprov.ports.process import Processes

_FOLDER = "usr/bin"
_PROGRAM_FOLDERS = ("usr/sbin", _FOLDER)


def add_applets(tree: RootTree, processes: Processes, program: str) -> None:
    """Add a link to ``program`` for each of its applets, except where the tree has a program of that name.

    Call it when all other programs were added. ``program``: prints the names of its applets with ``--list``, one a
    line. Raises ToolMissing, ToolFailed, BadInput if the tree does not hold the program.
    """
    if not tree.has(f"{_FOLDER}/{program}"):
        raise BadInput("initramfs", [Problem("applets", f"{program} is none of the programs in /{_FOLDER}")])
    for name in processes.run((program, "--list")).output.decode().split():
        if not any(tree.has(f"{folder}/{name}") for folder in _PROGRAM_FOLDERS):
            tree.add(symlink(f"{_FOLDER}/{name}", program), Part(PartKind.APPLETS, program))
