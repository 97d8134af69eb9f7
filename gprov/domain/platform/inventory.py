"""Hardware inventory as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cpus:
    """``models``: one model name per socket; ``cores``: physical cores in all; ``sockets``: packages; ``threads``:
    logical processors in all, 0 if that is one per core."""

    models: tuple[str, ...]
    cores: int
    sockets: int
    threads: int = 0

    @property
    def logical(self) -> int:
        """Number of logical processors."""
        return self.threads or self.cores


@dataclass(frozen=True, slots=True)
class BusDevice:
    """A PCI or USB device with its numbers on the bus. ``device_class``: 24 bits on PCI (base, sub, interface),
    24 bits on USB (class, subclass, protocol)."""

    address: str
    vendor: int
    device: int
    device_class: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """``memory``: bytes of usable RAM that the kernel reports (MemTotal)."""

    cpus: Cpus
    memory: int
    pci: tuple[BusDevice, ...]
    usb: tuple[BusDevice, ...]
