"""The ports with which disks are read and volumes are found, checked, mounted and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable

    from gprov.ports.arrays import Arrays
    from gprov.ports.block import BlockDevices
    from gprov.ports.clock import Clock
    from gprov.ports.files import Files
    from gprov.ports.filesystem import FileSystems, Mounts
    from gprov.ports.firmware import Firmware
    from gprov.ports.sealing import SecretSealing


@dataclass(frozen=True, kw_only=True)
class VolumePorts:
    """Every boot makes these. ``arrays`` makes its port, and is called only if a member of an array was found;
    ``sealing`` only if a secret of RECOVERY is needed."""

    blocks: BlockDevices
    mounts: Mounts
    files: Files
    filesystems: FileSystems
    firmware: Firmware
    clock: Clock
    arrays: Callable[[], Arrays]
    sealing: Callable[[], SecretSealing]
