"""SMBIOS structure tables (DMTF DSP0134, sections 5 and 6.1): bytes → structures.

A firmware's table may be damaged behind what matters: parsing keeps everything before the damage and notes it, as
every reader in the field does, since a unit with a bad memory entry must still know what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

END_OF_TABLE = 127
NOT_SPECIFIED = "Not Specified"
BAD_INDEX = "<BAD INDEX>"
_HEADER = 4


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure. ``formatted`` begins with the 4 bytes of the header, so that offsets are those of DSP0134.
    ``strings`` hold printable ASCII; any other byte became a dot."""

    handle: int
    type: int
    formatted: bytes
    strings: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Of the formatted area, in bytes. Fields behind it do not exist."""
        return len(self.formatted)

    def number(self, offset: int, size: int = 1) -> int:
        """Little-endian number of ``size`` bytes; what lies behind the formatted area counts as zero."""
        return int.from_bytes(self.formatted[offset : offset + size], "little")

    def text(self, offset: int) -> str:
        """The string that the byte at ``offset`` refers to, in dmidecode's words if there is none."""
        index = self.number(offset)
        if index == 0:
            return NOT_SPECIFIED
        return self.strings[index - 1] if index <= len(self.strings) else BAD_INDEX


@dataclass(frozen=True, slots=True)
class SmbiosTable:
    """``version`` of the specification that the entry point claims; a raw table does not tell and counts as 3.0.
    ``problems``: damage that was found; what lies behind it is not in ``structures``."""

    structures: tuple[Structure, ...]
    version: tuple[int, int] = (3, 0)
    problems: tuple[Problem, ...] = ()

    def of_type(self, number: int) -> tuple[Structure, ...]:
        return tuple(structure for structure in self.structures if structure.type == number)


@dataclass(frozen=True, slots=True)
class _Extent:
    """What an entry point says. ``count``: number of structures, 0 if it does not tell."""

    table: bytes
    version: tuple[int, int] = (3, 0)
    count: int = 0
    problems: tuple[Problem, ...] = ()


def parse_table(data: bytes, source: str = "SMBIOS table") -> SmbiosTable:
    """Parse a raw table (as of /sys/firmware/dmi/tables/DMI) or a file of ``dmidecode --dump-bin``.

    Raises BadInput if there is not one whole structure, or if the entry point of a dump is not valid.
    """
    extent = _extent(source, data)
    problems = list(extent.problems)
    structures = tuple(_structures(extent, problems))
    if not structures:
        raise BadInput(source, problems or [Problem("", "holds no SMBIOS structure")])
    return SmbiosTable(structures, extent.version, tuple(problems))


def _structures(extent: _Extent, problems: list[Problem]) -> Iterator[Structure]:
    table, offset, count = extent.table, 0, 0
    while not extent.count or count < extent.count:
        place = f"offset {offset}"
        if offset == len(table):
            missing = f"{extent.count - count} structures are missing" if extent.count else "no end-of-table structure"
            problems.append(Problem(place, f"the table ends here, but {missing}" if extent.count else missing))
            return
        length = table[offset + 1] if offset + 1 < len(table) else 0
        body = offset + length
        end = table.find(b"\0\0", body)
        if offset + _HEADER > len(table) or body > len(table):
            problems.append(Problem(place, "the table ends inside a structure"))
            return
        if length < _HEADER:
            problems.append(Problem(place, f"structure length {length} is less than that of its header ({_HEADER})"))
            return
        if end < 0:
            problems.append(Problem(place, "the strings of this structure do not end"))
            return
        structure = Structure(
            handle=int.from_bytes(table[offset + 2 : offset + 4], "little"),
            type=table[offset],
            formatted=table[offset:body],
            strings=_strings(table[body:end]),
        )
        yield structure
        if structure.type == END_OF_TABLE:
            return
        offset, count = end + 2, count + 1


def _strings(area: bytes) -> tuple[str, ...]:
    texts = []
    for raw in area.split(b"\0"):
        if not raw:  # an empty string ends the set, wherever the double zero is
            break
        texts.append("".join(chr(byte) if 32 <= byte < 127 else "." for byte in raw))
    return tuple(texts)


def _extent(source: str, data: bytes) -> _Extent:
    if data.startswith(b"_SM3_"):
        return _entry(source, data, _WIDE)
    if data.startswith(b"_SM_"):
        return _entry(source, data, _NARROW)
    return _Extent(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class _EntryPoint:
    """Where an entry point has its fields: offset, or offset and width in bytes. ``least``: its shortest length."""

    length_at: int
    min_length: int
    version_at: int
    table_at: tuple[int, int]
    size_at: tuple[int, int]


_WIDE = _EntryPoint(length_at=6, min_length=0x18, version_at=7, table_at=(0x10, 8), size_at=(0x0C, 4))
_NARROW = _EntryPoint(length_at=5, min_length=0x1E, version_at=6, table_at=(0x18, 4), size_at=(0x16, 2))


def _entry(source: str, data: bytes, point: _EntryPoint) -> _Extent:
    """DSP0134 sections 5.2.1 (32-bit, "_SM_") and 5.2.2 (64-bit, "_SM3_"); in a dump the table's address is the
    offset in the file, and 64-bit tables have a maximum size instead of a size and a count."""
    if len(data) < point.min_length:
        raise BadInput(source, [Problem("offset 0", "the file ends inside the entry point")])
    length = data[point.length_at]
    if not point.min_length <= length <= len(data):
        raise BadInput(source, [Problem(f"offset {point.length_at}", f"entry point length {length} is not possible")])
    if sum(data[:length]) & 0xFF:
        raise BadInput(source, [Problem("offset 0", "checksum of the entry point is wrong")])
    wide = point is _WIDE
    start = _number(data, *point.table_at)
    size = _number(data, *point.size_at)
    if not length <= start < len(data):
        raise BadInput(
            source, [Problem(f"offset {point.table_at[0]}", f"the table is not in the file (at offset {start})")]
        )
    problems: tuple[Problem, ...] = ()
    if not wide and start + size > len(data):
        problems = (Problem("offset 22", f"the table should have {size} bytes, the file has {len(data) - start}"),)
    claimed = (data[point.version_at], data[point.version_at + 1])
    count = 0 if wide else int.from_bytes(data[0x1C:0x1E], "little")
    return _Extent(data[start : start + size], _KNOWN_MISTAKES.get(claimed, claimed), count, problems)


def _number(data: bytes, offset: int, width: int) -> int:
    return int.from_bytes(data[offset : offset + width], "little")


# Versions that firmware is known to claim, and what it means (2.31 is 2.3 revision 1).
_KNOWN_MISTAKES = {(2, 31): (2, 3), (2, 33): (2, 3), (2, 51): (2, 6)}
