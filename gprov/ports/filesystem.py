"""Checking and mounting file systems. Making them is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gprov.domain.disk.model import ActiveMount, CheckVerdict, FileSystemKind


class FileSystems(Protocol):
    def check(self, node: str, kind: FileSystemKind) -> CheckVerdict:
        """Check and repair without asking. Raises DeviceFault if the check itself could not run."""


class Mounts(Protocol):
    def mount(self, node: str, target: str, kind: str, options: Iterable[str] = ()) -> None:
        """Mount a device (or a virtual file system of that name) at ``target``, which is made if missing.
        ``options``: as of mount(8): ro, noexec, relatime, discard, … With ``remount``, what is mounted there gets the
        other ones; from rw to ro everything is flushed. Raises DeviceFault with its errno."""

    def unmount(self, target: str) -> None:
        """Flush and unmount. Raises DeviceFault (busy)."""

    def mounted(self) -> tuple[ActiveMount, ...]:
        """What is mounted now, in the order of the kernel's table; only what has a block device behind it."""

    def switch_root(self, target: str, init: str) -> None:
        """Move /dev, /proc, /sys and /run below ``target``, make it the root and become ``init``.
        Returns only on a simulated machine. Raises DeviceFault with everything moved back if ``init`` is missing."""
