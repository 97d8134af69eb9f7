"""Loads of a burn-in that overwrite disks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gprov.domain.mfg.burnin.loads import WriteLoad
from gprov.ports.burnin import RunningLoad


class WriteLoads(Protocol):
    def start(self, load: WriteLoad) -> AbstractContextManager[RunningLoad]:
        """Overwrite the disk and compare; leaving the context ends it. The disk is kept from other uses meanwhile.

        Raises ToolMissing, and DeviceFault, without writing, if the device number of the disk now belongs to another
        disk, or if the disk is in use (mounted, held by an array or mapping, swap)."""
