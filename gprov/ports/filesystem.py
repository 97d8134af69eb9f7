"""Checking and mounting file systems. Making them is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gprov.domain.disk.model import ActiveMount, CheckVerdict, FileSystemKind


class FileSystems(Protocol):
    def check(self, node: str, kind: FileSystemKind) -> CheckVerdict:
        """Check and repair without interaction. Raises DeviceFault if the check itself could not run."""


class Mounts(Protocol):
    def mount(self, node: str, target: str, kind: str, options: Iterable[str] = ()) -> None:
        """Mount a device (or a virtual file system of that name) at ``target``, which is created if missing.
        ``options``: as in mount(8): ro, noexec, relatime, discard, … With ``remount``, the mount at ``target`` gets the
        other options; a change from rw to ro flushes the volume. Raises DeviceFault with its errno."""

    def unmount(self, target: str) -> None:
        """Flush and unmount. Raises DeviceFault (busy)."""

    def mounted(self) -> tuple[ActiveMount, ...]:
        """All mounted block devices, in the order of the kernel's mount table."""

    def switch_root(self, target: str, init: str) -> None:
        """Move /dev, /proc, /sys and /run below ``target``, make it the root and execute ``init``. Returns only on a
        simulated machine. Raises DeviceFault, with all mounts moved back, if ``init`` is missing."""
