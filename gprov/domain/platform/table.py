"""Parses the platform table (appliance.json)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.disk.primary_fstab import OWNER_OPTIONS
from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.unfilled import note_unfilled
from gprov.domain.formats.json.unknown import note_misspelt
from gprov.domain.formats.smbios.dmidecode_fields import known_label
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS
from gprov.domain.platform.model import (
    SET_TOLERANCE_PCT,
    TARGET_TOLERANCE_PCT,
    FakeraidType,
    Lcd,
    LocateMethod,
    ModelField,
    Platform,
    RaidLevel,
    RecoveryMedia,
    ValidateMethod,
    Virtualization,
)
from gprov.domain.platform.patterns import pattern_problem
from gprov.domain.unit.nics import ANY_MAC, NicInfo, mac_prefix

# Re-exports the type of the entries.
__all__ = ["Platform", "parse_platform_table", "read_platform_table"]

# Displays of the earlier system's tables, which took every word but 635, 631 and none for "no display".
_EARLIER_DISPLAYS = ("cfex", "caf2k")
_RECOVERY_KINDS = {kind.value: kind for kind in (FileSystemKind.EXT4, FileSystemKind.EXT3)}


@dataclass(frozen=True, slots=True)
class PlatformTable:
    """``readings``: values in a spelling of gprovision, and how they were understood, each with its JSON path.
    ``places``: JSON path of each platform. ``unknown``: keys that are ignored."""

    platforms: tuple[Platform, ...]
    readings: tuple[Problem, ...]
    places: tuple[str, ...]
    unknown: tuple[Problem, ...] = ()


def parse_platform_table(source: str, data: bytes) -> tuple[Platform, ...]:
    """Parse a platform table. ``source`` names the file. Raises BadInput with all problems."""
    return read_platform_table(source, data).platforms


def read_platform_table(source: str, data: bytes) -> PlatformTable:
    """Like ``parse_platform_table``, with the readings and the JSON paths."""
    root = read_object(source, data)
    entries = root.objects("Variants", required=True)
    if not entries and root.has("Variants"):
        root.problem("Variants", "holds no platform")
    readings: list[Problem] = []
    platforms = tuple(_platform(entry, readings) for entry in entries)
    _check_distinct(entries, platforms)
    readings += _shared_names(entries, platforms)
    places = tuple(entry.path for entry in entries)
    note_unfilled(root)
    unknown = note_misspelt(root)
    return finish(source, root, PlatformTable(platforms, tuple(readings), places, unknown))


def _platform(entry: JsonObject, readings: list[Problem]) -> Platform:
    disks = entry.integer("NumDataDisks", 1, required=True, minimum=1)
    return Platform(
        code_name=_code_name(entry),
        family_name=entry.text("Familyname", required=True),
        manufacturer=entry.text("DmiMbMfg", required=True),
        product=entry.text("DmiProdName", required=True),
        model_regex=_model_regex(entry),
        serial_field=_serial_field(entry),
        nic_info=_nic_info(entry.object("NICInfo", required=True)),
        data_disks=disks,
        disk_size=entry.integer("Disksize", 1, required=True, minimum=1),
        recovery_media=_recovery_media(entry.object("RecoveryMedia", required=True), readings),
        lcd=_lcd(entry, readings),
        raid_level=_raid_level(entry, disks),
        model_field=_model_field(entry),
        cpu=tuple(line.strip() for line in entry.text("CPU").splitlines() if line.strip()),
        ipmi=entry.boolean("IPMI"),
        ipmi_channel=entry.integer("IPMIChannel", minimum=0, maximum=15),
        disk_is_ssd=entry.boolean("DiskIsSSD"),
        fakeraid_type=entry.one_of("FakeraidType", {"": None, **{kind.value: kind for kind in FakeraidType}}, None),
        bios_config_tool=entry.text("BiosConfigTool"),
        ipmi_config_tool=entry.text("IpmiConfigTool"),
        virtualization=Virtualization(entry.integer("Virttype", minimum=0, maximum=max(Virtualization))),
        partition_offset=entry.text("Partoffset"),
        low_memory=entry.boolean("Lowmemory"),
        prototype=entry.boolean("Prototype"),
        # 0 means the default.
        set_tolerance_pct=entry.integer("DiskSTol", minimum=0, maximum=100) or SET_TOLERANCE_PCT,
        target_tolerance_pct=entry.integer("DiskTTol", minimum=0, maximum=100) or TARGET_TOLERANCE_PCT,
    )


def _code_name(entry: JsonObject) -> str:
    name = entry.text("DevCodeName", required=True)
    if name != name.strip() or not name.isprintable():
        entry.problem("DevCodeName", f"{name!r} has blanks around it or unprintable characters")
    return name


def _model_regex(entry: JsonObject) -> str:
    pattern = entry.text("DmiProdModelRegex")
    if not entry.has("DmiProdModelRegex"):
        entry.problem("DmiProdModelRegex", "is missing")
    if problem := pattern_problem(pattern):
        entry.problem("DmiProdModelRegex", problem)
    return pattern


def _serial_field(entry: JsonObject) -> str:
    name = entry.text("SerNumField", required=True)
    if name.strip() and name not in KEYWORDS:
        entry.problem("SerNumField", f"{name!r} is not a keyword of dmidecode; known: {', '.join(KEYWORDS)}")
    return name


def _model_field(entry: JsonObject) -> ModelField | None:
    number = entry.integer("DmiPMOverrideTyp", minimum=0, maximum=127)
    label = entry.text("DmiPMOverrideFld")
    if not label:
        if number:
            entry.problem("DmiPMOverrideFld", f"is missing, though DmiPMOverrideTyp is {number}")
        return None
    if not known_label(number, label):
        entry.problem("DmiPMOverrideFld", f"{label!r} is not a known field of SMBIOS type {number}")
    return ModelField(number, label)


def _lcd(entry: JsonObject, readings: list[Problem]) -> Lcd:
    before = len(entry.problems)
    words = {lcd.value: lcd for lcd in Lcd} | dict.fromkeys(_EARLIER_DISPLAYS, Lcd.NONE)
    lcd = entry.one_of("Lcd", words, Lcd.NONE, required=True)
    if len(entry.problems) == before and (word := entry.text("Lcd")).lower() in _EARLIER_DISPLAYS:
        readings.append(Problem(f"{entry.path}.Lcd", f"{word} is read as none: gprovision drives no such display"))
    return lcd


def _raid_level(entry: JsonObject, disks: int) -> RaidLevel | None:
    number = entry.integer("SwRaidlevel", -1, required=True)
    if number == -1:
        return None
    levels = {level.value: level for level in RaidLevel}
    if number not in levels:
        entry.problem("SwRaidlevel", f"unknown value {number}; known: -1 (none), {', '.join(map(str, levels))}")
        return None
    level = levels[number]
    if disks < level.min_disks:
        entry.problem("SwRaidlevel", f"RAID {number} needs {level.min_disks} disks, NumDataDisks is {disks}")
    return level


def _nic_info(entry: JsonObject | None) -> NicInfo:
    if entry is None:
        return NicInfo()
    diag_ports = entry.integers("SharedDiagPorts")
    for index, port in enumerate(diag_ports):
        if port < 0:
            entry.problem(f"SharedDiagPorts[{index}]", f"must be at least 0, is {port}")
    if len(set(diag_ports)) < len(diag_ports):
        entry.problem("SharedDiagPorts", "names a port twice")
    names = entry.texts("DefaultNamesNoDiag")
    wan_index = entry.integer("WANIndex", minimum=0)
    if names and wan_index >= len(names):
        entry.problem("WANIndex", f"is {wan_index}, but there are only {len(names)} names in DefaultNamesNoDiag")
    return NicInfo(diag_ports, wan_index, names, _mac_prefixes(entry))


def _mac_prefixes(entry: JsonObject) -> tuple[str, ...]:
    found = entry.texts("MACPrefix")
    if found == (ANY_MAC,):
        return found
    prefixes = tuple(mac_prefix(text) for text in found)
    for index, prefix in enumerate(prefixes):
        if prefix is None:
            entry.problem(
                f"MACPrefix[{index}]", f"{found[index]!r} is not a MAC prefix (like 56:78:90, or one * alone)"
            )
    return tuple(prefix for prefix in prefixes if prefix is not None)


def _recovery_media(entry: JsonObject | None, readings: list[Problem]) -> RecoveryMedia:
    if entry is None:
        return RecoveryMedia()
    locate = entry.one_of("LocateRDMethod", {how.value: how for how in LocateMethod}, LocateMethod.BY_LABEL)
    validate = entry.one_of("ValidateRDMethod", {how.value: how for how in ValidateMethod}, ValidateMethod.NONE)
    if locate is LocateMethod.P9:
        entry.text("FsType")  # 9p; known, though it decides nothing
        fs_types: tuple[FileSystemKind, ...] = ()
    else:
        fs_types = _fs_types(entry, readings)
    extra = entry.text("FsOptsAdditional")
    if any(character.isspace() for character in extra):
        entry.problem("FsOptsAdditional", "must not hold blanks")
    owners = [option for option in extra.split(",") if option.strip().startswith(OWNER_OPTIONS)]
    if owners and fs_types:
        text = f"{','.join(owners)} is left out: {fs_types[0].value} stores owners; AdminOwnsFolders sets them"
        readings.append(Problem(f"{entry.path}.FsOptsAdditional", text))
    return RecoveryMedia(
        locate=locate,
        validate=validate,
        fs_types=fs_types,
        extra_options=extra,
        override_options=entry.boolean("FsOptsOverride"),
        ssd=entry.boolean("SSD"),
        admin_owns_folders=entry.boolean("AdminOwnsFolders"),
    )


def _fs_types(entry: JsonObject, readings: list[Problem]) -> tuple[FileSystemKind, ...]:
    """The kinds that RECOVERY can be made as, best first. gprovision passes the whole list on to mount, so that it may
    name others."""
    key, text = "FsType", entry.text("FsType", FileSystemKind.EXT4.value)
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    kinds = tuple(dict.fromkeys(_RECOVERY_KINDS[word] for word in words if word in _RECOVERY_KINDS))
    if not kinds:
        entry.problem(key, f"{text!r} lists no file system that RECOVERY can be made as: write ext4, ext3 or both")
    elif words[0] != kinds[0].value:
        readings.append(
            Problem(f"{entry.path}.{key}", f"{text} is read as {kinds[0].value}: the first that can be made")
        )
    return kinds


def _check_distinct(entries: Sequence[JsonObject], platforms: Sequence[Platform]) -> None:
    """Identifying properties of all platforms must be distinct."""
    marks: dict[tuple[object, ...], str] = {}
    for entry, platform in zip(entries, platforms, strict=True):
        mark = (platform.manufacturer, platform.product, platform.model_regex, platform.model_field, platform.cpu)
        if platform.product and marks.setdefault(mark, entry.path) != entry.path:
            entry.problem("", f"recognises the same machines as {marks[mark]}")


def _shared_names(entries: Sequence[JsonObject], platforms: Sequence[Platform]) -> list[Problem]:
    """Platforms with one code name: they differ in SMBIOS; specification and steps are the same."""
    names: dict[str, str] = {}
    shared: list[Problem] = []
    for entry, platform in zip(entries, platforms, strict=True):
        name = platform.code_name
        first = names.setdefault(name, entry.path)
        if name and first != entry.path:
            text = (
                f"{name} is that of {first} too: both have the same ValidationData and steps, and no fallback can be it"
            )
            shared.append(Problem(f"{entry.path}.DevCodeName", text))
    return shared
