"""Compares the devices of a bus with their specification: how many of each kind, and none besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.mfg.difference import Difference
from gprov.domain.mfg.spec import DeviceSpec
from gprov.domain.platform.inventory import BusDevice


@dataclass(frozen=True, slots=True)
class BusKind:
    """``place``: of its list in the specification; ``class_bits``: how many of the 24 bits of a class the usual short
    form has, the highest ones."""

    place: str
    class_bits: int

    def short_class(self, device: BusDevice) -> int:
        return device.device_class >> (24 - self.class_bits)

    def fits(self, spec: DeviceSpec, device: BusDevice) -> bool:
        short = spec.device_class is not None and spec.device_class < 1 << self.class_bits
        return (
            spec.vendor in (None, device.vendor)
            and spec.device in (None, device.device)
            and spec.device_class in (None, self.short_class(device) if short else device.device_class)
        )

    def describe(self, device: BusDevice) -> str:
        """Numbers as a specification has them, and the place on the bus."""
        short = f"0x{self.short_class(device):0{self.class_bits // 4}x}"
        return f"vendor 0x{device.vendor:04x} device 0x{device.device:04x} class {short} at {device.address}"


# Base class and subclass; the device class.
PCI = BusKind("Devices.PCI", 16)
USB = BusKind("Devices.USB", 8)


def compare_devices(
    bus: BusKind, specs: Sequence[DeviceSpec], devices: Sequence[BusDevice], *, complete: bool
) -> Iterator[Difference]:
    """``complete``: devices that fit nothing in the list are a difference."""
    for index, spec in enumerate(specs):
        fitting = [device.address for device in devices if bus.fits(spec, device)]
        if len(fitting) != spec.quantity:
            where = f" (at {', '.join(fitting)})" if fitting else ""
            yield Difference(f"{bus.place}[{index}]", f"{spec.quantity} x {spec.describe()}", f"{len(fitting)}{where}")
    others = [device for device in devices if not any(bus.fits(spec, device) for spec in specs)]
    if complete and others:
        yield Difference(bus.place, "no other device (Exact)", "; ".join(map(bus.describe, others)))
