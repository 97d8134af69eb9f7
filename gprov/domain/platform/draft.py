"""A first entry of the platform table for a machine that no platform matches, made of what it reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.value import Json
from gprov.domain.formats.placeholders import placeholder
from gprov.domain.formats.smbios.dmidecode_fields import field
from gprov.domain.formats.smbios.dmidecode_keywords import keyword
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.platform.identify import SYSTEM, maker_and_product
from gprov.domain.platform.model import RaidLevel, ValidateMethod

_IPMI_DEVICE = 38  # DSP0134, section 7.39
_SERIALS = ("system-serial-number", "baseboard-serial-number", "chassis-serial-number")
_ATTACHMENTS = {"usb": ValidateMethod.USB, "ata": ValidateMethod.SATA}
_NAMES = "choose DevCodeName and Familyname"
_PORTS = "name the ports as they are labelled, in the order of their MACs; WANIndex is the one that leads outside"
_DISPLAY = "Lcd: 635 or 631 if the model has such a display"
_RAID = "SwRaidlevel: 0, 1, 5, 6 or 10, as the data disks are to be used"
_MODEL = "the firmware tells no model (SKU): DmiProdModelRegex matches all units with these names"
_SERIAL = "no serial number of the firmware is a real one: have one set, or name another field in SerNumField"
_DISKS = "NumDataDisks and Disksize: of the machine's data disks (no list of its hardware was given)"
_BMC = "IPMIChannel: the channel of the management controller's network port"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedHardware:
    """What of ``hardware.json`` belongs into a platform table. ``disks``: size of each data disk, bytes; ``macs``: of
    all interfaces, lowest first; ``own_nics``: how many have the brand's prefix; ``recovery_bus``: "" if it is not
    known; ``controller``: a management controller answered."""

    disks: tuple[int, ...] = ()
    macs: tuple[str, ...] = ()
    own_nics: int = 0
    recovery_bus: str = ""
    controller: bool = False


def read_hardware(source: str, data: bytes) -> ReportedHardware:
    """Read an entry of ``ValidationData`` as a machine reports it. Raises BadInput."""
    root = read_object(source, data)
    root.text("DevCodeName", required=True)  # each such entry has it, and other files do not
    recovery, firmware = root.object("Recovery"), root.object("FirmwareVer")
    macs = [text.split()[1] for text in root.texts("_Nics") if len(text.split()) > 1]
    hardware = ReportedHardware(
        disks=tuple(size for row in root.lists_of_objects("MainDiskConfigs")[:1] for size in _sizes(row)),
        macs=tuple(macs),
        own_nics=root.integer("NumOUINics", minimum=0),
        recovery_bus=recovery.text("_Bus") if recovery else "",
        controller=firmware is not None and any(firmware.has(key) for key in ("IPMI", "FRU", "ME")),
    )
    return finish(source, root, hardware)


def _sizes(row: Sequence[JsonObject]) -> list[int]:
    return [disk.integer("Size", minimum=0) for disk in row for _ in range(disk.integer("Quantity", 1, maximum=1000))]


def draft_entry(table: SmbiosTable, hardware: ReportedHardware | None) -> Mapping[str, Json]:
    """An entry of ``Variants`` that matches this machine. ``_ToDo`` lists what a person has to decide."""
    manufacturer, product = maker_and_product(table)
    sku = (field(table, SYSTEM, "SKU Number") or "").strip()
    known_model = bool(sku) and not placeholder(sku)
    serial = next((name for name in _SERIALS if _has_serial(table, name)), "")
    found = hardware or ReportedHardware()
    controller = found.controller or bool(table.of_type(_IPMI_DEVICE))
    own = found.own_nics or len(found.macs)
    todo = (
        _NAMES,
        *(() if known_model else (_MODEL,)),
        *(() if serial else (_SERIAL,)),
        _PORTS,
        *((_BMC,) if controller else ()),
        *(() if found.disks else (_DISKS,)),
        *((_RAID,) if len(found.disks) > 1 else ()),
        _DISPLAY,
    )
    attachment = _ATTACHMENTS.get(found.recovery_bus, ValidateMethod.NONE)
    return {
        "_ToDo": list(todo),
        "DevCodeName": "NEW-PLATFORM",
        "Familyname": "new",
        "DmiMbMfg": manufacturer,
        "DmiProdName": product,
        "DmiProdModelRegex": f"^{re.escape(sku)}$" if known_model else ".*",
        "SerNumField": serial or _SERIALS[0],
        "NICInfo": {
            "SharedDiagPorts": [],
            "WANIndex": 0,
            "DefaultNamesNoDiag": [f"Port {number}" for number in range(1, own + 1)],
            **({} if found.own_nics else {"MACPrefix": _prefixes(found.macs)}),
        },
        "IPMI": controller,
        "NumDataDisks": max(1, len(found.disks)),
        "Disksize": min((size for size in found.disks if size), default=1),
        "SwRaidlevel": int(RaidLevel.RAID1) if len(found.disks) > 1 else -1,
        "RecoveryMedia": {"ValidateRDMethod": attachment.value, "FsType": "ext4"},
        "Lcd": "none",
    }


def _has_serial(table: SmbiosTable, name: str) -> bool:
    """The field that identification would take."""
    values = keyword(table, name)
    return bool(values) and not placeholder(values[-1].strip())


def _prefixes(macs: Sequence[str]) -> list[Json]:
    """The makers' prefixes, three octets each; "*" if there is no interface."""
    return list(dict.fromkeys(mac[:8] for mac in macs)) or ["*"]
