"""The ports with which disks are read and volumes are found, checked, mounted and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable

    from gprov.ports.arrays import Arrays
    from gprov.ports.block import BlockDevices
    from gprov.ports.clock import Clock
    from gprov.ports.code_signatures import CodeSignatures
    from gprov.ports.files import Files
    from gprov.ports.filesystem import FileSystems, Mounts
    from gprov.ports.firmware import Firmware
    from gprov.ports.sealing import SecretSealing


@dataclass(frozen=True, kw_only=True)
class VolumePorts:
    """What is callable makes its port: ``filesystems``, ``firmware``, ``arrays``, ``sealing``, ``code_signatures``. A
    normal boot needs none of them."""

    blocks: BlockDevices
    mounts: Mounts
    files: Files
    clock: Clock
    filesystems: Callable[[], FileSystems]
    firmware: Callable[[], Firmware]
    arrays: Callable[[], Arrays]
    sealing: Callable[[], SecretSealing]
    code_signatures: Callable[[], CodeSignatures]
