"""Compares detected hardware with the hardware specification and reports all differences.

The place of a difference is the path in the ``ValidationData`` entry. Missing keys are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import Problem
from gprov.domain.formats.smbios.dmidecode_fields import field
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS, keyword
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.diskmatch import compare_disks
from gprov.domain.mfg.spec import UNREAD_VERSION, CpuSpec, DeviceSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import BusDevice, Cpus, Inventory
from gprov.domain.platform.patterns import pattern_matches
from gprov.domain.unit.nics import Nic, macs_consecutive, own_nics

_DMI_KEY = re.compile(r"(?P<type>[0-9]{1,3})(\[(?P<index>[0-9]{1,4})\])? +(?P<label>\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Detected hardware. ``bmc``: versions that the management controller reports; None without a controller, or if it
    was not queried."""

    inventory: Inventory
    disks: Sequence[Disk]
    nics: Sequence[Nic]
    smbios: SmbiosTable
    bmc: FirmwareVersions | None = None


def compare(spec: HardwareSpec, unit: Unit, hardware: Hardware, *, mac_prefix: str) -> tuple[Problem, ...]:
    """Return all differences. ``mac_prefix``: of the branding, used by ``NumOUINics``."""
    inventory, smbios = hardware.inventory, hardware.smbios
    return (
        *_serial(spec, unit),
        *(_cpus(spec.cpu, inventory.cpus) if spec.cpu else ()),
        *_memory(spec, inventory.memory, installed_memory(smbios)),
        *compare_disks(spec, hardware.disks),
        *_nics(spec, hardware.nics, mac_prefix),
        *_firmware(spec.firmware_version, smbios, hardware.bmc or FirmwareVersions()),
        *_devices("Devices.PCI", spec.pci, inventory.pci, narrow=8, narrow_max=0xFFFF),
        *_devices("Devices.USB", spec.usb, inventory.usb, narrow=16, narrow_max=0xFF),
        *_dmi(spec, smbios),
    )


def _serial(spec: HardwareSpec, unit: Unit) -> Iterator[Problem]:
    """Not compared after fallback identification: serial numbers of prototypes follow no rule."""
    if spec.serial_regex and not unit.by_fallback and not pattern_matches(spec.serial_regex, unit.serial):
        yield Problem("SerNumRegex", f"expected {spec.serial_regex!r}, found serial number {unit.serial!r}")


def _cpus(spec: CpuSpec, cpus: Cpus) -> Iterator[Problem]:
    others = sorted({model for model in cpus.models if model != spec.model})
    if spec.model and (others or not cpus.models):
        yield _difference("CPUInfo.Model", repr(spec.model), ", ".join(map(repr, others)) or "none")
    if spec.cores is not None and spec.cores != cpus.logical:
        yield _difference(
            "CPUInfo.Cores", f"{spec.cores} logical processors", f"{cpus.logical} (on {cpus.cores} physical cores)"
        )
    if spec.sockets is not None and spec.sockets != cpus.sockets:
        yield _difference("CPUInfo.Sockets", str(spec.sockets), str(cpus.sockets))


def _memory(spec: HardwareSpec, usable: int, installed: int) -> Iterator[Problem]:
    """Accepts values between usable and installed memory (± 1 %). Generated files contain MemTotal of another kernel,
    and hand-written files the installed memory. The range is much smaller than one memory module."""
    if spec.ram_megs is None:
        return
    upper = max(usable, installed)
    if not usable * 100 < spec.ram_megs * MIB * 101 or not spec.ram_megs * MIB * 99 < upper * 100:
        text = f"{installed // MIB} MiB installed" if installed else "installed memory missing in SMBIOS"
        yield _difference("RamMegs", f"{spec.ram_megs} MiB (± 1 %)", f"{usable // MIB} MiB usable, {text}")


def _nics(spec: HardwareSpec, nics: Sequence[Nic], mac_prefix: str) -> Iterator[Problem]:
    own = own_nics(nics, (mac_prefix,))
    macs = ", ".join(nic.mac for nic in own) or "none"
    if spec.oui_nics is not None and spec.oui_nics != len(own):
        yield _difference("NumOUINics", f"{spec.oui_nics} with MAC prefix {mac_prefix}", f"{len(own)} ({macs})")
    if spec.oui_sequential and not macs_consecutive(own):
        yield _difference("OUINicsSequential", "consecutive MACs", macs)
    if spec.total_nics is not None and spec.total_nics != len(nics):
        names = ", ".join(f"{nic.name} {nic.mac}" for nic in nics) or "none"
        yield _difference("TotalNics", str(spec.total_nics), f"{len(nics)} ({names})")


def bios_version(smbios: SmbiosTable) -> str:
    """Empty if the table has none."""
    return next(iter(keyword(smbios, "bios-version")), "").strip()


def _firmware(spec: FirmwareVersions, smbios: SmbiosTable, bmc: FirmwareVersions) -> Iterator[Problem]:
    parts = (
        ("BIOS", spec.bios, bios_version(smbios)),
        ("IPMI", spec.ipmi, bmc.ipmi),
        ("FRU", spec.fru, bmc.fru),
        ("SDR", spec.sdr, bmc.sdr),
        ("ME", spec.me, bmc.me),
    )
    for name, expected, found in parts:
        if expected and expected != found:
            unread = "no version" if name == "BIOS" else f"no version that gprov can read: {UNREAD_VERSION}"
            yield _difference(f"FirmwareVer.{name}", repr(expected), repr(found) if found else unread)


def _devices(
    place: str, specs: Sequence[DeviceSpec], devices: Sequence[BusDevice], *, narrow: int, narrow_max: int
) -> Iterator[Problem]:
    """``narrow``: number of low bits that a short class in the specification omits; ``narrow_max``: largest short
    class."""

    def fits(spec: DeviceSpec, device: BusDevice) -> bool:
        seen = device.device_class
        if spec.device_class is not None and spec.device_class <= narrow_max:
            seen >>= narrow
        return (
            spec.vendor in (None, device.vendor)
            and spec.device in (None, device.device)
            and spec.device_class in (None, seen)
        )

    for index, spec in enumerate(specs):
        fitting = [device.address for device in devices if fits(spec, device)]
        if len(fitting) != spec.quantity:
            where = f" (at {', '.join(fitting)})" if fitting else ""
            yield _difference(f"{place}[{index}]", f"{spec.quantity} x {spec.describe()}", f"{len(fitting)}{where}")


def _dmi(spec: HardwareSpec, smbios: SmbiosTable) -> Iterator[Problem]:
    for key, expected in spec.dmi_matches.items():
        place = f"DmiMatches.{key}"
        values = _dmi_values(smbios, key)
        if values is None:
            yield Problem(place, "is neither a keyword of dmidecode nor a structure type with a label")
        elif "\n".join(values) != expected.strip() and set(values) != {expected.strip()}:
            yield _difference(place, repr(expected), ", ".join(map(repr, values)) or "nothing")


def _dmi_values(smbios: SmbiosTable, key: str) -> tuple[str, ...] | None:
    """Values of a keyword, one per structure, or the value of a label ("17[1] Part Number"). None: malformed key."""
    if key in KEYWORDS:
        return tuple(value.strip() for value in keyword(smbios, key))
    parts = _DMI_KEY.fullmatch(key.strip())
    if parts is None:
        return None
    value = field(smbios, int(parts["type"]), parts["label"], int(parts["index"] or 0))
    return () if value is None else (value.strip(),)


def _difference(place: str, expected: str, seen: str) -> Problem:
    return Problem(place, f"expected {expected}, found {seen}")
