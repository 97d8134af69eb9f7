"""The named values of ``dmidecode -s``: what serial-number fields and hardware specifications refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gprov.domain.formats.smbios.enum_names import CHASSIS_TYPE
from gprov.domain.formats.smbios.processors import processor_family
from gprov.domain.formats.smbios.table import SmbiosTable, Structure

Version = tuple[int, int]
_Decode = Callable[[Structure, Version], str | None]


@dataclass(frozen=True, slots=True)
class _Source:
    """Structure type, last byte that the value needs, and how it reads. None: this structure does not tell."""

    type: int
    last: int
    decode: _Decode


def keywords(table: SmbiosTable) -> Mapping[str, tuple[str, ...]]:
    """All of ``KEYWORDS``, each with one value per structure that has the field, in table order: the lines that
    dmidecode prints for it, not trimmed. A keyword without a value in the table has an empty tuple."""
    return {name: keyword(table, name) for name in KEYWORDS}


def keyword(table: SmbiosTable, name: str) -> tuple[str, ...]:
    """Values of one of ``KEYWORDS``."""
    source = _SOURCES[name]
    values = (value_of(structure, name, table.version) for structure in table.of_type(source.type))
    return tuple(value for value in values if value is not None)


def value_of(structure: Structure, name: str, version: Version) -> str | None:
    """Value of one keyword in one structure; None if the structure is of another type or too short for it."""
    source = _SOURCES[name]
    if structure.type != source.type or source.last >= structure.length:
        return None
    return source.decode(structure, version)


def system_uuid(structure: Structure, version: Version) -> str:
    """UUID of a type 1 structure. Its first three fields are little-endian from version 2.6 on (section 7.2.1)."""
    raw = structure.formatted[0x08:0x18]
    if raw == b"\xff" * 16:
        return "Not Present"
    if raw == bytes(16):
        return "Not Settable"
    if version >= (2, 6):
        raw = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return "-".join(raw[start:end].hex() for start, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 16)))


def _text(offset: int) -> _Decode:
    return lambda structure, _: structure.text(offset)


def _release(offset: int) -> _Decode:
    def decode(structure: Structure, _: Version) -> str | None:
        major, minor = structure.number(offset), structure.number(offset + 1)
        return None if 0xFF in (major, minor) else f"{major}.{minor}"

    return decode


def _frequency(structure: Structure, _: Version) -> str:
    megahertz = structure.number(0x16, 2)
    return f"{megahertz} MHz" if megahertz else "Unknown"


def _strings(prefix: str, number: int, **offsets: int) -> dict[str, _Source]:
    return {
        f"{prefix}-{name.replace('_', '-')}": _Source(number, offset, _text(offset)) for name, offset in offsets.items()
    }


_SOURCES: Mapping[str, _Source] = {
    **_strings("bios", 0, vendor=0x04, version=0x05, release_date=0x08),
    "bios-revision": _Source(0, 0x15, _release(0x14)),
    "firmware-revision": _Source(0, 0x17, _release(0x16)),
    **_strings("system", 1, manufacturer=0x04, product_name=0x05, version=0x06, serial_number=0x07),
    "system-uuid": _Source(1, 0x17, system_uuid),
    **_strings("system", 1, sku_number=0x19, family=0x1A),
    **_strings("baseboard", 2, manufacturer=0x04, product_name=0x05, version=0x06, serial_number=0x07, asset_tag=0x08),
    "chassis-manufacturer": _Source(3, 0x04, _text(0x04)),
    "chassis-type": _Source(3, 0x05, lambda chassis, _: CHASSIS_TYPE.name_of(chassis.number(0x05) & 0x7F)),
    **_strings("chassis", 3, version=0x06, serial_number=0x07, asset_tag=0x08),
    "processor-family": _Source(4, 0x06, processor_family),
    **_strings("processor", 4, manufacturer=0x07, version=0x10),
    "processor-frequency": _Source(4, 0x17, _frequency),
}

KEYWORDS: tuple[str, ...] = tuple(_SOURCES)
