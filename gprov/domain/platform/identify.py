"""Identification: finds the platform and serial number of a machine from its SMBIOS table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.errors import HardwareMismatch, Problem
from gprov.domain.formats.placeholders import placeholder
from gprov.domain.formats.smbios.dmidecode_fields import field
from gprov.domain.formats.smbios.dmidecode_keywords import keyword, value_of
from gprov.domain.formats.smbios.table import SmbiosTable, Structure
from gprov.domain.platform.model import Platform
from gprov.domain.platform.patterns import pattern_matches
from gprov.domain.platform.unidentified import is_unidentified

SYSTEM, BASE_BOARD, PROCESSOR = 1, 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An identified machine. ``sku``: the model. ``by_fallback``: identified by a code name, since SMBIOS matches no
    platform; manufacturer and product are then those of the platform table."""

    platform: Platform
    manufacturer: str
    product: str
    sku: str
    serial: str
    by_fallback: bool = False


@dataclass(frozen=True, slots=True)
class _NamedStructure:
    """Manufacturer and product of one base board or system, and their SMBIOS structure."""

    manufacturer: str
    product: str
    source: Structure


def identify(table: SmbiosTable, platforms: Sequence[Platform], fallback: str = "") -> Unit:
    """Identify by base board, else by system, else by the code name ``fallback`` (PROTO_IDENT, platform.ident).

    Raises HardwareMismatch: none or several platforms match (with the reason for each), unknown fallback, or no usable
    serial number.
    """
    for number in (BASE_BOARD, SYSTEM):
        matches = [
            (platform, name)
            for platform in platforms
            for name in _names(table, number)
            if (name.manufacturer, name.product) == (platform.manufacturer, platform.product)
            and not _mismatch_reason(table, platform)
        ]
        _check_unambiguous([platform for platform, _ in matches])
        if matches:
            platform, name = matches[0]
            serial = _serial(table, platform, name.source)
            return Unit(
                platform=platform,
                manufacturer=name.manufacturer,
                product=name.product,
                sku=_sku(table, platform),
                serial=serial,
            )
    if not fallback.strip():
        raise HardwareMismatch(f"no platform matches {_describe_machine(table)}", _reasons(table, platforms))
    return _by_fallback(table, platforms, fallback.strip())


def _by_fallback(table: SmbiosTable, platforms: Sequence[Platform], code_name: str) -> Unit:
    named = [platform for platform in platforms if platform.code_name == code_name]
    if not named:
        known = ", ".join(dict.fromkeys(platform.code_name for platform in platforms)) or "none"
        raise HardwareMismatch(
            f"no platform matches {_describe_machine(table)}, and the fallback {code_name!r} is not in the platform "
            f"table (known: {known})",
            _reasons(table, platforms),
        )
    if len(named) > 1:
        raise HardwareMismatch(
            f"the fallback {code_name!r} is the DevCodeName of {len(named)} platforms, and the firmware shows none of "
            f"them ({_describe_machine(table)}): give the platform that you mean a DevCodeName of its own",
            _reasons(table, named),
        )
    platform, serial = named[0], _serial(table, named[0], None)
    return Unit(
        platform=platform,
        manufacturer=platform.manufacturer,
        product=platform.product,
        sku=_sku(table, platform),
        serial=serial,
        by_fallback=True,
    )


def _check_unambiguous(fitting: Sequence[Platform]) -> None:
    distinct = tuple(dict.fromkeys(fitting))
    if len(distinct) > 1:
        names = [platform.code_name for platform in distinct]
        raise HardwareMismatch(
            f"this machine matches more than one platform: {', '.join(names)}",
            [Problem(platform.code_name, _describe_platform(platform)) for platform in distinct],
        )


def _names(table: SmbiosTable, number: int) -> Iterator[_NamedStructure]:
    """Last structure first: of several boards gprovision used the last one."""
    prefix = "baseboard" if number == BASE_BOARD else "system"
    for structure in reversed(table.of_type(number)):
        manufacturer = value_of(structure, f"{prefix}-manufacturer", table.version) or ""
        product = value_of(structure, f"{prefix}-product-name", table.version) or ""
        yield _NamedStructure(manufacturer.strip(), product.strip(), structure)


def maker_and_product(table: SmbiosTable) -> tuple[str, str]:
    """Those by which ``identify`` would recognise this machine first, and which its maker has filled in; empty texts if
    there are none."""
    names = [name for number in (BASE_BOARD, SYSTEM) for name in _names(table, number)]
    filled = (name for name in names if not placeholder(name.manufacturer) and not placeholder(name.product))
    name = next(filled, None)
    return (name.manufacturer, name.product) if name else ("", "")


def _sku(table: SmbiosTable, platform: Platform) -> str:
    where = platform.model_field
    text = field(table, where.type, where.label) if where else field(table, SYSTEM, "SKU Number")
    return (text or "").strip()


def _mismatch_reason(table: SmbiosTable, platform: Platform) -> str:
    """Why model or processors do not match the platform; "" if they match."""
    sku = _sku(table, platform)
    if not pattern_matches(platform.model_regex, sku):
        where = platform.model_field
        what = f"type {where.type} {where.label!r}" if where else "SKU number"
        return f"{what} {sku!r} does not match {platform.model_regex!r}"
    if platform.cpu and not _processors_fit(table, platform.cpu):
        return f"processors are {_processors(table)}, expected {list(platform.cpu)}"
    return ""


def _processors_fit(table: SmbiosTable, wanted: Sequence[str]) -> bool:
    """One version for each populated socket, in any order: platforms may differ in the number of processors alone. The
    list may also cover all sockets, with the firmware's words for the empty ones."""
    populated = _processors(table)
    every_socket = [version.strip() for version in keyword(table, "processor-version")]
    return sorted(wanted) in (sorted(populated), sorted(every_socket))


def _processors(table: SmbiosTable) -> list[str]:
    """Versions of the processors in populated sockets (bit 6 of the status, DSP0134 section 7.5)."""
    sockets = (socket for socket in table.of_type(PROCESSOR) if socket.number(0x18) & 0x40)
    return [(value_of(socket, "processor-version", table.version) or "").strip() for socket in sockets]


def _serial(table: SmbiosTable, platform: Platform, source: Structure | None) -> str:
    """Serial number in the structure that matched, if it has the field, else in the last structure that has it."""
    name = platform.serial_field
    own = value_of(source, name, table.version) if source else None
    values = (own,) if own is not None else keyword(table, name)
    if not values:
        raise HardwareMismatch(
            f"{platform.code_name}: no serial number: SMBIOS has no {name}; set it with the board vendor's tool, or "
            "change SerNumField in the platform table"
        )
    serial = values[-1].strip()
    if problem := placeholder(serial):
        raise HardwareMismatch(
            f"{platform.code_name}: serial number ({name}) is a placeholder: {serial!r} {problem}. "
            "Set a real one in the firmware, or name another SerNumField"
        )
    if is_unidentified(serial):
        raise HardwareMismatch(
            f"{platform.code_name}: serial number ({name}) is {serial!r}, the name of a machine without a serial "
            "number. Set a real one in the firmware"
        )
    return serial


def _reasons(table: SmbiosTable, platforms: Sequence[Platform]) -> list[Problem]:
    names = {(name.manufacturer, name.product) for number in (BASE_BOARD, SYSTEM) for name in _names(table, number)}
    return [
        Problem(
            platform.code_name,
            _mismatch_reason(table, platform)
            if (platform.manufacturer, platform.product) in names
            else f"expected {_describe_platform(platform)}",
        )
        for platform in platforms
    ]


def _describe_platform(platform: Platform) -> str:
    cpu = f", processors {list(platform.cpu)}" if platform.cpu else ""
    return f"{platform.manufacturer!r} {platform.product!r}, model {platform.model_regex!r}{cpu}"


def _describe_machine(table: SmbiosTable) -> str:
    boards = [f"base board {name.manufacturer!r} {name.product!r}" for name in _names(table, BASE_BOARD)]
    systems = [f"system {name.manufacturer!r} {name.product!r}" for name in _names(table, SYSTEM)]
    sku = (field(table, SYSTEM, "SKU Number") or "").strip()
    return ", ".join([*boards, *systems, f"SKU {sku!r}", f"processors {_processors(table) or 'none'}"])
