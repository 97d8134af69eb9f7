"""platform_facts.json: what a unit is, for the programs in its image, which need not ask the firmware then.

The keys are those of the platform table, and left out where the earlier system left them out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gprov.domain.formats.json.value import Json
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import (
    SET_TOLERANCE_PCT,
    TARGET_TOLERANCE_PCT,
    Lcd,
    LocateMethod,
    Platform,
    RecoveryMedia,
    ValidateMethod,
)
from gprov.domain.unit.nics import NicInfo


def platform_facts(unit: Unit, lcd: Lcd = Lcd.NONE) -> bytes:
    """Content of the file. ``lcd``: the display that was found, told for a prototype instead of the table's."""
    facts = dict(platform_entry(unit.platform))
    if unit.platform.prototype and lcd is not Lcd.NONE:
        facts["Lcd"] = lcd.value
    facts |= {"Mfg": unit.manufacturer, "Prod": unit.product, "SKU": unit.sku, "Serial": unit.serial}
    return (json.dumps(facts, indent=2) + "\n").encode()


def platform_entry(platform: Platform) -> Mapping[str, Json]:
    """The entry of a platform table that is read as this platform."""
    field = platform.model_field
    entry: dict[str, Json] = {
        "Familyname": platform.family_name,
        "DmiMbMfg": platform.manufacturer,
        "DmiProdName": platform.product,
        "DmiProdModelRegex": platform.model_regex,
        **_told(DmiPMOverrideTyp=field.type if field else 0, DmiPMOverrideFld=field.label if field else ""),
        **_told(CPU="\n".join(platform.cpu)),
        "SerNumField": platform.serial_field,
        "NICInfo": _nic_info(platform.nic_info),
        **_told(IPMI=platform.ipmi, IPMIChannel=platform.ipmi_channel),
        "NumDataDisks": platform.data_disks,
        "Disksize": platform.disk_size,
        **_told(DiskIsSSD=platform.disk_is_ssd),
        "SwRaidlevel": -1 if platform.raid_level is None else int(platform.raid_level),
        **_told(
            FakeraidType=platform.fakeraid_type.value if platform.fakeraid_type else "",
            BiosConfigTool=platform.bios_config_tool,
            IpmiConfigTool=platform.ipmi_config_tool,
            Virttype=int(platform.virtualization),
        ),
        "RecoveryMedia": _recovery_media(platform.recovery_media),
        "Lcd": platform.lcd.value,
        "DevCodeName": platform.code_name,
        **_told(
            Partoffset=platform.partition_offset,
            Lowmemory=platform.low_memory,
            Prototype=platform.prototype,
            DiskSTol=_unusual(platform.set_tolerance_pct, SET_TOLERANCE_PCT),
            DiskTTol=_unusual(platform.target_tolerance_pct, TARGET_TOLERANCE_PCT),
        ),
    }
    return entry


def _told(**values: Json) -> Mapping[str, Json]:
    """What is worth telling: no empty text, no zero, no false."""
    return {name: value for name, value in values.items() if value}


def _unusual(value: int, usual: int) -> int:
    return 0 if value == usual else value


def _nic_info(info: NicInfo) -> Mapping[str, Json]:
    return {
        "SharedDiagPorts": list(info.diag_ports),
        "WANIndex": info.wan_index,
        "DefaultNamesNoDiag": list(info.names),
        **_told(MACPrefix=list(info.mac_prefixes)),
    }


def _recovery_media(media: RecoveryMedia) -> Mapping[str, Json]:
    by_label = media.locate is LocateMethod.BY_LABEL
    return {
        **_told(
            LocateRDMethod="" if by_label else media.locate.value,
            ValidateRDMethod="" if media.validate is ValidateMethod.NONE else media.validate.value,
        ),
        "FsType": ",".join(kind.value for kind in media.fs_types) if by_label else media.locate.value,
        **_told(FsOptsAdditional=media.extra_options, FsOptsOverride=media.override_options, SSD=media.ssd),
    }
