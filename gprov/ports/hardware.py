"""Hardware inventory, without disks and network interfaces."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.platform.inventory import Inventory


class HardwareInventory(Protocol):
    def read(self) -> Inventory:
        """Processors, memory, PCI and USB devices as the kernel enumerated them. Raises DeviceFault."""
