"""Detected hardware in the form of a ``ValidationData`` entry of manufData.json.

Read by ``specread`` and compared with the same machine, the entry has no difference. So a person can compare it with
the specification, or copy it. What the form cannot express is left out; keys that begin with ``_`` are comments.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.formats.json.value import Json, has_lone_surrogate
from gprov.domain.formats.smbios.dmidecode_fields import field
from gprov.domain.formats.smbios.memory import MEMORY_DEVICE
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.compare import Hardware, bios_version
from gprov.domain.mfg.devicematch import PCI, USB, BusKind
from gprov.domain.mfg.diskmatch import fits
from gprov.domain.mfg.spec import DiskSpec, FirmwareVersions
from gprov.domain.mfg.specread import MIN_RECOVERY
from gprov.domain.platform.inventory import BusDevice, Cpus
from gprov.domain.unit.nics import macs_consecutive, own_nics, sorted_by_mac

_MODULE_LABELS = ("Locator", "Manufacturer", "Part Number")
# DevCodeName of a machine that no platform matches.
UNIDENTIFIED = "UNKNOWN"
_ONE_KIND = "not given: it must fit no main disk, but all disks have the same size and names, or are smaller than 1 GiB"


def detected_entry(
    code_name: str, hardware: Hardware, recovery: DiskSpec | None, mac_prefix: str
) -> Mapping[str, Json]:
    """``recovery``: the specification of RECOVERY's disk, if there is one: the disk that it describes is taken for
    RECOVERY; without such a disk a USB disk, or else the smallest. ``mac_prefix``: of the branding."""
    inventory, own = hardware.inventory, own_nics(hardware.nics, (mac_prefix,))
    return {
        "DevCodeName": code_name,
        "CPUInfo": _cpus(inventory.cpus),
        # Rounded: 1 % of the memory of any unit is more than half a MiB.
        "RamMegs": max(1, (inventory.memory + MIB // 2) // MIB),
        **_disks(hardware.disks, recovery),
        "NumOUINics": len(own),
        "OUINicsSequential": macs_consecutive(own),
        "TotalNics": len(hardware.nics),
        "FirmwareVer": _firmware(bios_version(hardware.smbios), hardware.bmc or FirmwareVersions()),
        "Devices": {"Exact": True, "PCI": _devices(PCI, inventory.pci), "USB": _devices(USB, inventory.usb)},
        **_memory_modules(hardware.smbios),
        "_Nics": [f"{nic.name} {nic.mac} {nic.driver}".strip() for nic in sorted_by_mac(hardware.nics)],
        "_Disks": [disk.describe() for disk in hardware.disks],
    }


def entry_text(entry: Mapping[str, Json]) -> str:
    """JSON with one line for each disk and device."""
    return f"{_lines(entry, '')}\n"


def _lines(value: Json, indent: str) -> str:
    inner = f"{indent}  "
    if isinstance(value, Mapping) and any(isinstance(member, (Mapping, list)) for member in value.values()):
        members = [f"{inner}{json.dumps(key)}: {_lines(member, inner)}" for key, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{inner}{_lines(member, inner)}" for member in value) + f"\n{indent}]"
    return json.dumps(value)


def _cpus(cpus: Cpus) -> Mapping[str, Json]:
    """Without the model if the processors differ: the form has one for all of them."""
    models = set(cpus.models)
    model = _text(models.pop()) if len(models) == 1 else ""
    return _given(Model=model, Cores=cpus.logical, Sockets=cpus.sockets)


def _firmware(bios: str, bmc: FirmwareVersions) -> Mapping[str, Json]:
    return _given(BIOS=_text(bios), IPMI=_text(bmc.ipmi), FRU=_text(bmc.fru), ME=_text(bmc.me))


def _disks(disks: Sequence[Disk], wanted: DiskSpec | None) -> Mapping[str, Json]:
    kinds = Counter(disk_kind(disk) for disk in disks)
    recovery = _recovery_kind(tuple(kinds), disks, wanted)
    if recovery is None:
        return {"_Recovery": _ONE_KIND, "MainDiskConfigs": [_disk_list(disks)] if disks else []}
    fitting = [disk for disk in disks if fits(recovery, disk)]
    main = [disk for disk in disks if disk not in fitting]
    # For a platform table, which says how RECOVERY is attached.
    bus = {"_Bus": fitting[0].bus.value}
    return {"Recovery": {**_disk_entry(recovery, len(fitting)), **bus}, "MainDiskConfigs": [_disk_list(main)]}


def _recovery_kind(kinds: Sequence[DiskSpec], disks: Sequence[Disk], wanted: DiskSpec | None) -> DiskSpec | None:
    """The kind of disk that is RECOVERY: one that leaves main disks, since all disks that it fits are RECOVERY's. None
    if there is no such kind."""

    def fitting(kind: DiskSpec) -> list[Disk]:
        return [disk for disk in disks if fits(kind, disk)]

    def rank(kind: DiskSpec) -> tuple[bool, bool, int]:
        found = fitting(kind)
        as_wanted = wanted is not None and all(fits(wanted, disk) for disk in found)
        return not as_wanted, any(disk.bus is not Bus.USB for disk in found), kind.size

    candidates = [kind for kind in kinds if kind.size >= MIN_RECOVERY and len(fitting(kind)) < len(disks)]
    return min(candidates, key=rank, default=None)


def _disk_list(disks: Sequence[Disk]) -> list[Json]:
    kinds = Counter(disk_kind(disk) for disk in disks)
    return [_disk_entry(kind, count) for kind, count in kinds.items()]


def disk_kind(disk: Disk) -> DiskSpec:
    """Fits the disk. A card reader without a card has a size of 0, which no entry may have: 1 byte ± 100 % fits it."""
    vendor, model = _text(disk.vendor), _text(disk.model)
    if disk.size:
        return DiskSpec(size=disk.size, vendor=vendor, model=model)
    return DiskSpec(size=1, tolerance_percent=100, vendor=vendor, model=model)


def _disk_entry(kind: DiskSpec, quantity: int) -> Mapping[str, Json]:
    return {
        "Size": kind.size,
        **_given(SizeTolerancePct=kind.tolerance_percent, Vendor=kind.vendor, Model=kind.model),
        "Quantity": quantity,
    }


def _devices(bus: BusKind, devices: Sequence[BusDevice]) -> list[Json]:
    """With classes in their short form."""
    places: dict[tuple[int, int, int], list[str]] = {}
    for device in devices:
        kind = (bus.short_class(device), device.vendor, device.device)
        places.setdefault(kind, []).append(device.address)
    return [
        {
            "HumanDescription": f"at {', '.join(addresses)}",
            "Vendor": f"0x{vendor:04x}",
            "Device": f"0x{number:04x}",
            "Class": f"0x{device_class:0{bus.class_bits // 4}x}",
            "Quantity": len(addresses),
        }
        for (device_class, vendor, number), addresses in sorted(places.items())
    ]


def _memory_modules(smbios: SmbiosTable) -> Mapping[str, Json]:
    """The size of the module in each slot; makers, which may differ between equal units, as a comment."""
    slots = range(len(smbios.of_type(MEMORY_DEVICE)))
    if not slots:
        return {}
    makers = [[field(smbios, MEMORY_DEVICE, label, slot) or "" for label in _MODULE_LABELS] for slot in slots]
    return {
        "DmiMatches": {
            f"{MEMORY_DEVICE}[{slot}] Size": (field(smbios, MEMORY_DEVICE, "Size", slot) or "").strip()
            for slot in slots
        },
        "_Modules": [_text(" ".join(text.strip() for text in texts if text.strip())) for texts in makers],
    }


def _given(**values: str | int) -> dict[str, Json]:
    """Without values that were not found: they are not compared."""
    return {name: value for name, value in values.items() if value}


def _text(text: str) -> str:
    """Empty, so that it is not compared, for text that no JSON file can hold."""
    return "" if has_lone_surrogate(text) else text
