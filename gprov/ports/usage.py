"""Whether a disk is in use."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.model import Disk


class DiskUsage(Protocol):
    def reason(self, disk: Disk) -> str:
        """Why a disk cannot be erased now: it, or a part of it, is in use by the kernel or by a program that opened it
        for itself alone, or it cannot be opened. Empty if it is free."""
