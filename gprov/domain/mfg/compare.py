"""Compares detected hardware with the hardware specification and reports all differences.

The place of a difference is the path in the ``ValidationData`` entry. Missing keys are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.formats.smbios.dmidecode_keywords import keyword
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.devicematch import PCI, USB, compare_devices
from gprov.domain.mfg.difference import Difference
from gprov.domain.mfg.diskmatch import compare_disks
from gprov.domain.mfg.dmimatch import dmi_values
from gprov.domain.mfg.spec import CpuSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.inventory import Cpus, Inventory
from gprov.domain.platform.patterns import pattern_matches
from gprov.domain.unit.nics import Nic, macs_consecutive, own_nics


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Detected hardware. ``bmc``: versions that the management controller reports; None without a controller, or if it
    was not queried."""

    inventory: Inventory
    disks: Sequence[Disk]
    nics: Sequence[Nic]
    smbios: SmbiosTable
    bmc: FirmwareVersions | None = None


def compare(spec: HardwareSpec, hardware: Hardware, *, serial: str | None, mac_prefix: str) -> tuple[Difference, ...]:
    """Return all differences. ``serial``: of the unit; None if it is not to be compared. ``mac_prefix``: of the
    branding, used by ``NumOUINics``."""
    inventory, smbios = hardware.inventory, hardware.smbios
    return (
        *_serial(spec.serial_regex, serial),
        *(_cpus(spec.cpu, inventory.cpus) if spec.cpu else ()),
        *_memory(spec, inventory.memory, installed_memory(smbios)),
        *compare_disks(spec, hardware.disks),
        *_nics(spec, hardware.nics, mac_prefix),
        *_firmware(spec.firmware_version, smbios, hardware.bmc or FirmwareVersions()),
        *compare_devices(PCI, spec.pci, inventory.pci, complete=spec.pci_complete),
        *compare_devices(USB, spec.usb, inventory.usb, complete=spec.usb_complete),
        *_dmi(spec, smbios),
    )


def _serial(pattern: str, serial: str | None) -> Iterator[Difference]:
    if pattern and serial is not None and not pattern_matches(pattern, serial):
        yield Difference("SerNumRegex", repr(pattern), f"serial number {serial!r}")


def _cpus(spec: CpuSpec, cpus: Cpus) -> Iterator[Difference]:
    others = sorted({model for model in cpus.models if model != spec.model})
    if spec.model and (others or not cpus.models):
        yield Difference("CPUInfo.Model", repr(spec.model), ", ".join(map(repr, others)) or "none")
    if spec.cores is not None and spec.cores != cpus.logical:
        yield Difference(
            "CPUInfo.Cores", f"{spec.cores} logical processors", f"{cpus.logical} (on {cpus.cores} physical cores)"
        )
    if spec.sockets is not None and spec.sockets != cpus.sockets:
        yield Difference("CPUInfo.Sockets", str(spec.sockets), str(cpus.sockets))


def _memory(spec: HardwareSpec, usable: int, installed: int) -> Iterator[Difference]:
    """Accepts values between usable and installed memory (± 1 %). Generated files contain MemTotal of another kernel,
    and hand-written files the installed memory. The range is much smaller than one memory module."""
    if spec.ram_megs is None:
        return
    upper = max(usable, installed)
    if not usable * 100 < spec.ram_megs * MIB * 101 or not spec.ram_megs * MIB * 99 < upper * 100:
        text = f"{installed // MIB} MiB installed" if installed else "installed memory missing in SMBIOS"
        yield Difference("RamMegs", f"{spec.ram_megs} MiB (± 1 %)", f"{usable // MIB} MiB usable, {text}")


def _nics(spec: HardwareSpec, nics: Sequence[Nic], mac_prefix: str) -> Iterator[Difference]:
    own = own_nics(nics, (mac_prefix,))
    macs = ", ".join(nic.mac for nic in own) or "none"
    if spec.oui_nics is not None and spec.oui_nics != len(own):
        yield Difference("NumOUINics", f"{spec.oui_nics} with MAC prefix {mac_prefix}", f"{len(own)} ({macs})")
    if spec.oui_sequential and not macs_consecutive(own):
        yield Difference("OUINicsSequential", "consecutive MACs", macs)
    if spec.total_nics is not None and spec.total_nics != len(nics):
        names = ", ".join(f"{nic.name} {nic.mac}" for nic in nics) or "none"
        yield Difference("TotalNics", str(spec.total_nics), f"{len(nics)} ({names})")


def bios_version(smbios: SmbiosTable) -> str:
    """Empty if the table has none."""
    return next(iter(keyword(smbios, "bios-version")), "").strip()


def _firmware(spec: FirmwareVersions, smbios: SmbiosTable, bmc: FirmwareVersions) -> Iterator[Difference]:
    parts = (
        ("BIOS", spec.bios, bios_version(smbios)),
        ("IPMI", spec.ipmi, bmc.ipmi),
        ("FRU", spec.fru, bmc.fru),
        ("ME", spec.me, bmc.me),
    )
    for name, expected, found in parts:
        if expected and expected != found:
            yield Difference(f"FirmwareVer.{name}", repr(expected), repr(found) if found else "no version")


def _dmi(spec: HardwareSpec, smbios: SmbiosTable) -> Iterator[Difference]:
    for key, expected in spec.dmi_matches.items():
        values = dmi_values(smbios, key)
        if "\n".join(values) != expected.strip() and set(values) != {expected.strip()}:
            yield Difference(f"DmiMatches.{key}", repr(expected), ", ".join(map(repr, values)) or "nothing")
