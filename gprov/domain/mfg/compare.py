"""Is this unit made of what its specification says? Every difference at once, in words.

Places are the paths in a ``ValidationData`` entry. What a specification does not tell is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import Problem
from gprov.domain.formats.smbios.fields import field
from gprov.domain.formats.smbios.keywords import KEYWORDS, keyword
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.diskmatch import compare_disks
from gprov.domain.mfg.spec import UNREAD_VERSION, CpuSpec, DeviceSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import BusDevice, Cpus, Inventory
from gprov.domain.platform.patterns import found
from gprov.domain.unit.nics import Nic, own_nics, sequential

_DMI_KEY = re.compile(r"(?P<type>[0-9]{1,3})(\[(?P<index>[0-9]{1,4})\])? +(?P<label>\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What was found in the machine. ``bmc``: versions that the management controller tells; None if there is none or
    it was not asked."""

    inventory: Inventory
    disks: Sequence[Disk]
    nics: Sequence[Nic]
    smbios: SmbiosTable
    bmc: FirmwareVersions | None = None


def compare(spec: HardwareSpec, unit: Unit, hardware: Hardware, *, mac_prefix: str) -> tuple[Problem, ...]:
    """Empty if the unit is as specified. ``mac_prefix``: the brand's, which ``NumOUINics`` counts."""
    inventory, smbios = hardware.inventory, hardware.smbios
    return (
        *_serial(spec, unit),
        *(_cpus(spec.cpu, inventory.cpus) if spec.cpu else ()),
        *_memory(spec, inventory.memory, installed_memory(smbios)),
        *compare_disks(spec, hardware.disks),
        *_nics(spec, hardware.nics, mac_prefix),
        *_firmware(spec.firmware_version, smbios, hardware.bmc or FirmwareVersions()),
        *_devices("Devices.PCI", spec.pci, inventory.pci, narrow=8, narrow_most=0xFFFF),
        *_devices("Devices.USB", spec.usb, inventory.usb, narrow=16, narrow_most=0xFF),
        *_dmi(spec, smbios),
    )


def _serial(spec: HardwareSpec, unit: Unit) -> Iterator[Problem]:
    """Not of a unit that was identified by fallback: the serial numbers of prototypes follow no rule."""
    if spec.serial_regex and not unit.by_fallback and not found(spec.serial_regex, unit.serial):
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
    """Files in the field hold MemTotal of the kernel that wrote them, which kept less or more for itself than ours;
    people write what is installed. So anything from usable to installed is right (± 1 %): some percent lie between,
    far less than a wrong module makes."""
    if spec.ram_megs is None:
        return
    most = max(usable, installed)
    if not usable * 100 < spec.ram_megs * MIB * 101 or not spec.ram_megs * MIB * 99 < most * 100:
        told = f"{installed // MIB} MiB installed" if installed else "firmware does not tell how much is installed"
        yield _difference("RamMegs", f"{spec.ram_megs} MiB (± 1 %)", f"{usable // MIB} MiB usable, {told}")


def _nics(spec: HardwareSpec, nics: Sequence[Nic], mac_prefix: str) -> Iterator[Problem]:
    own = own_nics(nics, (mac_prefix,))
    macs = ", ".join(nic.mac for nic in own) or "none"
    if spec.oui_nics is not None and spec.oui_nics != len(own):
        yield _difference("NumOUINics", f"{spec.oui_nics} with MAC prefix {mac_prefix}", f"{len(own)} ({macs})")
    if spec.oui_sequential and not sequential(own):
        yield _difference("OUINicsSequential", "consecutive MACs", macs)
    if spec.total_nics is not None and spec.total_nics != len(nics):
        names = ", ".join(f"{nic.name} {nic.mac}" for nic in nics) or "none"
        yield _difference("TotalNics", str(spec.total_nics), f"{len(nics)} ({names})")


def _firmware(spec: FirmwareVersions, smbios: SmbiosTable, bmc: FirmwareVersions) -> Iterator[Problem]:
    bios = next(iter(keyword(smbios, "bios-version")), "").strip()
    parts = (
        ("BIOS", spec.bios, bios),
        ("IPMI", spec.ipmi, bmc.ipmi),
        ("FRU", spec.fru, bmc.fru),
        ("SDR", spec.sdr, bmc.sdr),
        ("ME", spec.me, bmc.me),
    )
    for name, wanted, seen in parts:
        if wanted and wanted != seen:
            unread = "no version" if name == "BIOS" else f"no version that gprov can read: {UNREAD_VERSION}"
            yield _difference(f"FirmwareVer.{name}", repr(wanted), repr(seen) if seen else unread)


def _devices(
    place: str, specs: Sequence[DeviceSpec], devices: Sequence[BusDevice], *, narrow: int, narrow_most: int
) -> Iterator[Problem]:
    """``narrow``: bits that a short class in the specification leaves out; ``narrow_most``: the largest short one."""

    def fits(spec: DeviceSpec, device: BusDevice) -> bool:
        seen = device.device_class
        if spec.device_class is not None and spec.device_class <= narrow_most:
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
    for key, wanted in spec.dmi_matches.items():
        place = f"DmiMatches.{key}"
        values = _dmi_values(smbios, key)
        if values is None:
            yield Problem(place, "is neither a keyword of dmidecode nor a structure type with a label")
        elif "\n".join(values) != wanted.strip() and set(values) != {wanted.strip()}:
            yield _difference(place, repr(wanted), ", ".join(map(repr, values)) or "nothing")


def _dmi_values(smbios: SmbiosTable, key: str) -> tuple[str, ...] | None:
    """Of a keyword, one value per structure (each must be as wanted, or all together, one per line); of a label
    ("17[1] Part Number"), that of one structure. None: the key cannot be understood."""
    if key in KEYWORDS:
        return tuple(value.strip() for value in keyword(smbios, key))
    parts = _DMI_KEY.fullmatch(key.strip())
    if parts is None:
        return None
    value = field(smbios, int(parts["type"]), parts["label"], int(parts["index"] or 0))
    return () if value is None else (value.strip(),)


def _difference(place: str, expected: str, seen: str) -> Problem:
    return Problem(place, f"expected {expected}, found {seen}")
