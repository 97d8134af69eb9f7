"""Makes the database from which lsusb has the names of vendors and products.

lsusb asks libudev's hardware database (hwdb(7)). That of a distribution also names PCI devices, keyboards and network
cards; one with USB names alone is a sixth of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

from gprov.apps.host.initramfs.cpio import regular
from gprov.apps.host.initramfs.hostfiles import copy_file, read_file
from gprov.apps.host.initramfs.parts import Part, PartKind
from gprov.apps.host.initramfs.rootfs import RootTree
from gprov.apps.host.initramfs.sources import HOST, SourceSystem
from gprov.domain.errors import DeviceMissing
from gprov.ports.process import Processes

# Folder of the sources, and one of the paths at which libudev looks for the compiled database.
SOURCES = "/usr/lib/udev/hwdb.d"
DATABASE = "usr/lib/udev/hwdb.bin"
_BELOW_ROOT = "etc/udev"
# The older of two commands that compile it: systemd-hwdb adds names of its source files, which differ at each build.
_COMPILER = ("udevadm", "hwdb", "--update")


def add_usb_names(tree: RootTree, processes: Processes, names: Sequence[str], system: SourceSystem = HOST) -> None:
    """Add the database. ``names``: of its sources. Raises DeviceMissing, ToolMissing, ToolFailed."""
    sources = system.files.get(SOURCES, SOURCES)
    with tempfile.TemporaryDirectory() as root:
        for name in names:
            path = os.path.join(sources, name)
            source = system.locate(path)
            if source is None:
                raise DeviceMissing(system.root + path, f"no such file; {system.hint('udev')}")
            copy_file(source, os.path.join(root, _BELOW_ROOT, "hwdb.d", name))
        processes.run((*_COMPILER, f"--root={root}"))
        content = read_file(os.path.join(root, _BELOW_ROOT, "hwdb.bin"))
    tree.add(regular(DATABASE, content), Part(PartKind.DATABASE, f"/{DATABASE} (names of USB devices)"))
