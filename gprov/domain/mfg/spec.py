"""The hardware specification of a platform: one ``ValidationData`` entry of manufData.json as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CpuSpec:
    """``model``: the kernel's model name, equal for all sockets, "" for any. ``cores``: *logical* processors as counted
    by the kernel (convention of existing files). None: not compared."""

    model: str = ""
    cores: int | None = None
    sockets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpec:
    """``quantity`` equal disks of ``size`` bytes ± ``tolerance_percent``. Empty vendor or model: any."""

    size: int
    tolerance_percent: int = 0
    vendor: str = ""
    model: str = ""
    quantity: int = 1

    def describe(self) -> str:
        names = " ".join(part for part in (self.vendor, self.model) if part) or "any model"
        margin = f" ± {self.tolerance_percent} %" if self.tolerance_percent else ""
        return f"{self.quantity} x {self.size} bytes{margin} ({names})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """``quantity`` devices with these numbers on a bus; 0: such a device is not allowed. None in a number: any.

    ``device_class`` as in files: base class and subclass on PCI (0x0200), the device class alone on USB (0x09), or all
    24 bits on either (0x020000).
    """

    quantity: int
    vendor: int | None = None
    device: int | None = None
    device_class: int | None = None
    description: str = ""

    def describe(self) -> str:
        named = (("vendor", self.vendor), ("device", self.device), ("class", self.device_class))
        numbers = " ".join(f"{name} 0x{number:04x}" for name, number in named if number is not None)
        return f"{self.description!r} ({numbers})" if self.description else numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareVersions:
    """``FirmwareVer``: versions of the BIOS, and of what the management controller reports. Empty: not compared (in a
    specification) or unknown (of a unit)."""

    bios: str = ""
    ipmi: str = ""
    fru: str = ""
    me: str = ""

    @property
    def of_controller(self) -> tuple[str, ...]:
        """Keys of the versions that only a management controller reports, as far as they are given."""
        parts = (("IPMI", self.ipmi), ("FRU", self.fru), ("ME", self.me))
        return tuple(key for key, version in parts if version)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSpec:
    """``main_disks``: alternatives, of which one must match completely. ``ram_megs``: MiB. ``serial_regex``: searched
    in the serial number, "" for any. ``dmi_matches``: dmidecode keyword ("bios-vendor"), or structure type, optional
    index and label ("17[1] Part Number") → expected text. None and empty: not compared. ``pci_complete`` and
    ``usb_complete``: a device that the list does not name is a difference."""

    code_name: str
    recovery: DiskSpec
    main_disks: tuple[tuple[DiskSpec, ...], ...]
    cpu: CpuSpec | None = None
    ram_megs: int | None = None
    oui_nics: int | None = None
    oui_sequential: bool = False
    total_nics: int | None = None
    firmware_version: FirmwareVersions = FirmwareVersions()
    pci: tuple[DeviceSpec, ...] = ()
    usb: tuple[DeviceSpec, ...] = ()
    pci_complete: bool = False
    usb_complete: bool = False
    serial_regex: str = ""
    dmi_matches: Mapping[str, str] = field(default_factory=dict)
