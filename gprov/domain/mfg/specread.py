"""Parses ``ValidationData`` of manufData.json: the hardware specifications."""

from __future__ import annotations

import re

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.mfg.dmimatch import dmi_key_problem
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.patterns import pattern_problem

MIN_RECOVERY = 1 << 30  # bytes
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|0|[1-9][0-9]{0,9}")


def read_spec(entry: JsonObject, warnings: list[Problem]) -> HardwareSpec:
    firmware = entry.object("FirmwareVer")
    devices = entry.object("Devices")
    if devices and devices.boolean("Exact") and not devices.has("PCI") and not devices.has("USB"):
        devices.problem("Exact", "concerns the lists PCI and USB, of which there is none")
    cpu = entry.object("CPUInfo")
    recovery = entry.object("Recovery", required=True)
    return HardwareSpec(
        code_name=entry.text("DevCodeName", required=True),
        recovery=_disk(recovery, MIN_RECOVERY) if recovery else DiskSpec(size=MIN_RECOVERY),
        main_disks=_main_disks(entry, warnings),
        cpu=_cpu(cpu) if cpu else None,
        ram_megs=_number(entry, "RamMegs", 1),
        oui_nics=_number(entry, "NumOUINics", 0),
        oui_sequential=entry.boolean("OUINicsSequential"),
        total_nics=_number(entry, "TotalNics", 0),
        firmware_version=_firmware(firmware) if firmware else FirmwareVersions(),
        pci=_devices(devices, "PCI", warnings) if devices else (),
        usb=_devices(devices, "USB", warnings) if devices else (),
        pci_complete=_is_complete(devices, "PCI") if devices else False,
        usb_complete=_is_complete(devices, "USB") if devices else False,
        serial_regex=_regex(entry, "SerNumRegex"),
        dmi_matches=_dmi_matches(entry, "DmiMatches"),
    )


def _number(entry: JsonObject, key: str, least: int) -> int | None:
    return entry.integer(key, least, minimum=least) if entry.has(key) else None


def _cpu(entry: JsonObject) -> CpuSpec:
    return CpuSpec(entry.text("Model"), _number(entry, "Cores", 1), _number(entry, "Sockets", 1))


def _firmware(entry: JsonObject) -> FirmwareVersions:
    """The repository of sensor data records tells the version of its commands only (IPMI 2.0 section 33.9), and none of
    its contents: ``SDR`` of earlier files came from a maker's program."""
    if entry.text("SDR"):
        entry.problem("SDR", "no unit has this version: IPMI does not tell it; compare it in a step (BeforeQA)")
    return FirmwareVersions(
        bios=entry.text("BIOS"),
        ipmi=entry.text("IPMI"),
        fru=entry.text("FRU"),
        me=entry.text("ME"),
    )


def _disk(entry: JsonObject, least: int) -> DiskSpec:
    return DiskSpec(
        size=entry.integer("Size", least, required=True, minimum=least),
        tolerance_percent=entry.integer("SizeTolerancePct", 0, minimum=0, maximum=100),
        vendor=entry.text("Vendor"),
        model=entry.text("Model"),
        quantity=entry.integer("Quantity", 1, minimum=1),
    )


def _main_disks(entry: JsonObject, warnings: list[Problem]) -> tuple[tuple[DiskSpec, ...], ...]:
    """Alternatives must list the same number of disks, so that a restore works the same with each."""
    key = "MainDiskConfigs"
    rows = entry.lists_of_objects(key, required=True)
    alternatives = tuple(tuple(_disk(disk, 1) for disk in row) for row in rows)
    if entry.has(key) and not rows:
        entry.problem(key, "must list at least one alternative")
    for index, alternative in enumerate(alternatives):
        place = f"{key}[{index}]"
        if not alternative:
            entry.problem(place, "lists no disk")
        elif len(alternative) != len(alternatives[0]):
            entry.problem(place, f"lists {len(alternative)} disks, the first alternative {len(alternatives[0])}")
        elif _disks(alternative) != _disks(alternatives[0]):
            text = f"means {_disks(alternative)} disks in all, the first alternative {_disks(alternatives[0])}"
            warnings.append(Problem(f"{entry.path}.{place}", text))
    return alternatives


def _disks(alternative: tuple[DiskSpec, ...]) -> int:
    return sum(disk.quantity for disk in alternative)


def _devices(entry: JsonObject, key: str, warnings: list[Problem]) -> tuple[DeviceSpec, ...]:
    return tuple(_device(device, warnings) for device in entry.objects(key))


def _device(entry: JsonObject, warnings: list[Problem]) -> DeviceSpec:
    if not entry.has("Quantity"):
        warnings.append(Problem(f"{entry.path}.Quantity", "is missing: there must be no such device"))
    before = len(entry.problems)
    device = DeviceSpec(
        quantity=entry.integer("Quantity", 0, minimum=0),
        vendor=_hex(entry, "Vendor", 0xFFFF),
        device=_hex(entry, "Device", 0xFFFF),
        device_class=_hex(entry, "Class", 0xFFFFFF),
        description=entry.text("HumanDescription"),
    )
    if device.vendor is device.device is device.device_class is None and len(entry.problems) == before:
        entry.problem("", "has none of Vendor, Device and Class")
    return device


def _is_complete(entry: JsonObject, key: str) -> bool:
    """``Exact`` concerns the lists that are given: an empty one then means that there must be no device."""
    return entry.boolean("Exact") and entry.has(key)


def _hex(entry: JsonObject, key: str, most: int) -> int | None:
    text = entry.text(key)
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or int(text, 0) > most:
        entry.problem(key, f'must be text like "0x8086", at most 0x{most:x}')
        return None
    return int(text, 0)


def _regex(entry: JsonObject, key: str) -> str:
    text = entry.text(key)
    problem = pattern_problem(text)
    if problem:
        entry.problem(key, problem)
    return text


def _dmi_matches(entry: JsonObject, key: str) -> dict[str, str]:
    matches = entry.string_map(key)
    for name in matches:
        if problem := dmi_key_problem(name):
            entry.problem(f"{key}.{name}", f"{problem}: no unit has a value for it")
    return matches
