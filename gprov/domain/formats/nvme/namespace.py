"""Identify Namespace data structure (NVM Express NVM Command Set Specification 1.0, CNS 00h; Linux ``struct
nvme_id_ns``), and lists of namespaces (CNS 02h and 10h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.nvme.controller import IDENTIFY_SIZE

LIST_LENGTH = IDENTIFY_SIZE // 4
# Above this namespace numbers are reserved (FFFFFFFEh) or mean all namespaces (FFFFFFFFh).
MAX_NAMESPACE = 0xFFFFFFFD
MAX_FORMATS = 64

_SIZES = struct.Struct("<QQQ")  # NSZE, NCAP, NUSE
_NLBAF_AT = 25
_FLBAS_AT = 26
_DPS_AT = 29
_FPI_AT = 32
_DLFEAT_AT = 33
_NULBAF_AT = 82
_NSATTR_AT = 99
_FORMATS_AT = 128
_FORMAT = struct.Struct("<HBB")  # MS, LBADS, RP
_SMALL_INDEX = 16
_MIN_BLOCK, _MAX_BLOCK = 9, 31
_WHAT = "NVMe Identify Namespace"


@dataclass(frozen=True, slots=True)
class LbaFormat:
    """``metadata``: bytes of metadata per block. ``block``: LBADS, block size as a power of two; 0 if the format is
    not available. ``performance``: RP with its reserved bits."""

    metadata: int
    block: int
    performance: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """``blocks``: NSZE. ``capacity``: NCAP, ``used``: NUSE, in blocks. ``flbas``: formatted LBA size. ``dps``:
    protection settings. ``fpi``: format progress. ``dlfeat``: what deallocated blocks read as. ``nsattr``: bit 0 is
    write protection. ``formats``: NLBAF + 1 formats, then NULBAF of ``unique_formats``."""

    blocks: int
    capacity: int
    used: int = 0
    flbas: int = 0
    dps: int = 0
    fpi: int = 0
    dlfeat: int = 0
    nsattr: int = 0
    formats: tuple[LbaFormat, ...] = (LbaFormat(0, _MIN_BLOCK),)
    unique_formats: int = 0

    @property
    def format_index(self) -> int:
        """Index of the present LBA format. Bits 5 and 6 of FLBAS count only with more than 16 formats."""
        return _format_index(self.flbas, len(self.formats))

    @property
    def block_size(self) -> int:
        return 1 << self.formats[self.format_index].block

    @property
    def size(self) -> int:
        """Bytes."""
        return self.blocks * self.block_size

    @property
    def metadata_extended(self) -> bool:
        return bool(self.flbas & 0x10)

    @property
    def protection(self) -> int:
        """Type of protection information, 0: none."""
        return self.dps & 7

    @property
    def protection_first(self) -> bool:
        return bool(self.dps & 8)

    @property
    def reports_format(self) -> bool:
        return bool(self.fpi & 0x80)

    @property
    def percent_to_format(self) -> int:
        """Percentage of a format in progress that remains; 0 if none is in progress, or if it is not stated."""
        return self.fpi & 0x7F if self.reports_format else 0

    @property
    def write_protected(self) -> bool:
        return bool(self.nsattr & 1)


def parse_namespace(raw: bytes) -> Namespace:
    """``raw``: 4096 bytes. Raises BadInput, also if the namespace is not active (all bytes are zero)."""
    if len(raw) != IDENTIFY_SIZE:
        raise BadInput(_WHAT, [Problem("", f"has {len(raw)} bytes, not {IDENTIFY_SIZE}")])
    if not any(raw):
        raise BadInput(_WHAT, [Problem("", "the namespace is not active")])
    blocks, capacity, used = _SIZES.unpack_from(raw)
    count = raw[_NLBAF_AT] + 1 + raw[_NULBAF_AT]
    flbas = raw[_FLBAS_AT]
    problems = []
    if blocks == 0:
        problems.append(Problem("NSZE", "is 0"))
    if capacity > blocks:
        problems.append(Problem("NCAP", f"is {capacity}, larger than NSZE {blocks}"))
    if count > MAX_FORMATS:
        problems.append(Problem("NLBAF", f"{count} formats, at most {MAX_FORMATS}"))
        raise BadInput(_WHAT, problems)
    formats = tuple(LbaFormat(*_FORMAT.unpack_from(raw, _FORMATS_AT + n * _FORMAT.size)) for n in range(count))
    index = _format_index(flbas, count)
    if index >= count:
        problems.append(Problem("FLBAS", f"format {index}, but there are {count}"))
    elif not _MIN_BLOCK <= formats[index].block <= _MAX_BLOCK:
        problems.append(Problem("LBADS", f"the present format has blocks of 2^{formats[index].block} bytes"))
    if problems:
        raise BadInput(_WHAT, problems)
    return Namespace(
        blocks=blocks,
        capacity=capacity,
        used=used,
        flbas=flbas,
        dps=raw[_DPS_AT],
        fpi=raw[_FPI_AT],
        dlfeat=raw[_DLFEAT_AT],
        nsattr=raw[_NSATTR_AT],
        formats=formats,
        unique_formats=raw[_NULBAF_AT],
    )


def serialise_namespace(namespace: Namespace) -> bytes:
    raw = bytearray(IDENTIFY_SIZE)
    _SIZES.pack_into(raw, 0, namespace.blocks, namespace.capacity, namespace.used)
    for at, value in (
        (_NLBAF_AT, len(namespace.formats) - namespace.unique_formats - 1),
        (_FLBAS_AT, namespace.flbas),
        (_DPS_AT, namespace.dps),
        (_FPI_AT, namespace.fpi),
        (_DLFEAT_AT, namespace.dlfeat),
        (_NULBAF_AT, namespace.unique_formats),
        (_NSATTR_AT, namespace.nsattr),
    ):
        raw[at] = value
    for number, one in enumerate(namespace.formats):
        _FORMAT.pack_into(raw, _FORMATS_AT + number * _FORMAT.size, one.metadata, one.block, one.performance)
    return bytes(raw)


def parse_namespace_list(raw: bytes) -> tuple[int, ...]:
    """Ascending namespace numbers; 1024 if there may be more. Raises BadInput."""
    what = "NVMe namespace list"
    if len(raw) != IDENTIFY_SIZE:
        raise BadInput(what, [Problem("", f"has {len(raw)} bytes, not {IDENTIFY_SIZE}")])
    entries = struct.unpack(f"<{LIST_LENGTH}I", raw)
    numbers = entries[: entries.index(0)] if 0 in entries else entries
    problems = [
        Problem(f"entry {place}", f"{number} is no namespace number, or not larger than the entry before it")
        for place, number in enumerate(numbers)
        if number > MAX_NAMESPACE or (place and number <= numbers[place - 1])
    ]
    if any(entries[len(numbers) :]):
        problems.append(Problem(f"entry {len(numbers)}", "is 0, but there are further entries"))
    if problems:
        raise BadInput(what, problems)
    return numbers


def serialise_namespace_list(numbers: Iterable[int]) -> bytes:
    """The smallest 1024 numbers."""
    chosen = sorted(numbers)[:LIST_LENGTH]
    return struct.pack(f"<{len(chosen)}I", *chosen).ljust(IDENTIFY_SIZE, b"\0")


def _format_index(flbas: int, count: int) -> int:
    lower = flbas & 0xF
    return lower if count <= _SMALL_INDEX else lower | (flbas >> 5 & 3) << 4
