"""platform_facts.json: platform and identity of a unit, for programs in its image.

The keys are those of the platform table. Keys that gprovision omitted are omitted here too.
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
    """Content of the file. ``lcd``: the display that was found, which replaces the table's value; NONE: none was."""
    facts = dict(platform_entry(unit.platform))
    if lcd is not Lcd.NONE:
        facts["Lcd"] = lcd.value
    facts |= {"Mfg": unit.manufacturer, "Prod": unit.product, "SKU": unit.sku, "Serial": unit.serial}
    return (json.dumps(facts, indent=2) + "\n").encode()


def platform_entry(platform: Platform) -> Mapping[str, Json]:
    """The entry of a platform table from which this platform is parsed."""
    field = platform.model_field
    entry: dict[str, Json] = {
        "Familyname": platform.family_name,
        "DmiMbMfg": platform.manufacturer,
        "DmiProdName": platform.product,
        "DmiProdModelRegex": platform.model_regex,
        **_non_default(DmiPMOverrideTyp=field.type if field else 0, DmiPMOverrideFld=field.label if field else ""),
        **_non_default(CPU="\n".join(platform.cpu)),
        "SerNumField": platform.serial_field,
        "NICInfo": _nic_info(platform.nic_info),
        **_non_default(IPMI=platform.ipmi, IPMIChannel=platform.ipmi_channel),
        "NumDataDisks": platform.data_disks,
        "Disksize": platform.disk_size,
        **_non_default(DiskIsSSD=platform.disk_is_ssd),
        "SwRaidlevel": -1 if platform.raid_level is None else int(platform.raid_level),
        **_non_default(
            FakeraidType=platform.fakeraid_type.value if platform.fakeraid_type else "",
            BiosConfigTool=platform.bios_config_tool,
            IpmiConfigTool=platform.ipmi_config_tool,
            Virttype=int(platform.virtualization),
        ),
        "RecoveryMedia": _recovery_media(platform.recovery_media),
        "Lcd": platform.lcd.value,
        "DevCodeName": platform.code_name,
        **_non_default(
            Partoffset=platform.partition_offset,
            Lowmemory=platform.low_memory,
            Prototype=platform.prototype,
            DiskSTol=_unusual(platform.set_tolerance_pct, SET_TOLERANCE_PCT),
            DiskTTol=_unusual(platform.target_tolerance_pct, TARGET_TOLERANCE_PCT),
        ),
    }
    return entry


def _non_default(**values: Json) -> Mapping[str, Json]:
    """Values that are not empty, zero or false."""
    return {name: value for name, value in values.items() if value}


def _unusual(value: int, usual: int) -> int:
    return 0 if value == usual else value


def _nic_info(info: NicInfo) -> Mapping[str, Json]:
    return {
        "SharedDiagPorts": list(info.diag_ports),
        "WANIndex": info.wan_index,
        "DefaultNamesNoDiag": list(info.names),
        **_non_default(MACPrefix=list(info.mac_prefixes)),
    }


def _recovery_media(media: RecoveryMedia) -> Mapping[str, Json]:
    by_label = media.locate is LocateMethod.BY_LABEL
    return {
        **_non_default(
            LocateRDMethod="" if by_label else media.locate.value,
            ValidateRDMethod="" if media.validate is ValidateMethod.NONE else media.validate.value,
        ),
        "FsType": ",".join(kind.value for kind in media.fs_types) if by_label else media.locate.value,
        **_non_default(
            FsOptsAdditional=media.extra_options,
            FsOptsOverride=media.override_options,
            SSD=media.ssd,
            AdminOwnsFolders=media.admin_owns_folders,
        ),
    }
