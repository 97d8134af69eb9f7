"""INQUIRY data: standard data and pages of vital product data (SPC-4, SBC-4, SAT-5)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.printable import printable_text

STANDARD_SIZE = 36
PAGE_SIZE = 252
ATA_INFORMATION_SIZE = 572

SUPPORTED_PAGES = 0x00
UNIT_SERIAL_NUMBER = 0x80
DEVICE_IDENTIFICATION = 0x83
ATA_INFORMATION = 0x89
BLOCK_LIMITS = 0xB0
BLOCK_DEVICE_CHARACTERISTICS = 0xB1
LOGICAL_BLOCK_PROVISIONING = 0xB2

_HEAD = 4
_IDENTIFY_AT = 60
_NAA = 3
_LOGICAL_UNIT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """``device_type``: PERIPHERAL DEVICE TYPE, 0: direct access block device."""

    device_type: int
    removable: bool
    vendor: str
    product: str
    revision: str


@dataclass(frozen=True, slots=True)
class AtaInformation:
    """``vendor``, ``product``, ``revision``: the translation layer. ``identify``: IDENTIFY DEVICE data as it was when
    the translation layer read it, which may be long ago."""

    vendor: str
    product: str
    revision: str
    identify: bytes


def parse_inquiry(raw: bytes) -> Inquiry:
    """Raises BadInput: shorter than 36 bytes, or no device at this unit."""
    if len(raw) < STANDARD_SIZE:
        raise BadInput("INQUIRY data", [Problem("", f"{len(raw)} bytes, at least {STANDARD_SIZE}")])
    if qualifier := raw[0] >> 5:
        raise BadInput("INQUIRY data", [Problem("byte 0", f"peripheral qualifier {qualifier}: no device")])
    return Inquiry(
        device_type=raw[0] & 0x1F,
        removable=bool(raw[1] & 0x80),
        vendor=_text(raw[8:16]),
        product=_text(raw[16:32]),
        revision=_text(raw[32:36]),
    )


def page_contents(raw: bytes, page: int) -> bytes:
    """Contents of a page behind its header. Raises BadInput: another page, or cut off."""
    what = f"INQUIRY page {page:02X}h"
    if len(raw) < _HEAD or raw[1] != page:
        got = f"page {raw[1]:02X}h" if len(raw) >= _HEAD else f"{len(raw)} bytes"
        raise BadInput(what, [Problem("", f"{got} returned")])
    length = int.from_bytes(raw[2:4])
    if len(raw) < _HEAD + length:
        raise BadInput(what, [Problem("byte 2", f"states {length} bytes, {len(raw) - _HEAD} returned")])
    return raw[_HEAD : _HEAD + length]


def parse_supported_pages(raw: bytes) -> frozenset[int]:
    """Raises BadInput."""
    return frozenset(page_contents(raw, SUPPORTED_PAGES))


def parse_serial_number(raw: bytes) -> str:
    """Raises BadInput."""
    return _text(page_contents(raw, UNIT_SERIAL_NUMBER))


def parse_naa(raw: bytes) -> str:
    """World wide name of the logical unit, hexadecimal, from the page Device Identification; "" if it has none. Raises
    BadInput."""
    rest = page_contents(raw, DEVICE_IDENTIFICATION)
    while len(rest) >= _HEAD:
        designator, rest = rest[: _HEAD + rest[3]], rest[_HEAD + rest[3] :]
        if designator[1] & 0x0F == _NAA and designator[1] >> 4 & 3 == _LOGICAL_UNIT:
            return designator[_HEAD:].hex()
    return ""


def parse_ata_information(raw: bytes) -> AtaInformation:
    """Raises BadInput."""
    contents = page_contents(raw, ATA_INFORMATION)
    if len(contents) != ATA_INFORMATION_SIZE - _HEAD:
        raise BadInput(f"INQUIRY page {ATA_INFORMATION:02X}h", [Problem("byte 2", f"{len(contents)} bytes")])
    return AtaInformation(_text(raw[8:16]), _text(raw[16:32]), _text(raw[32:36]), raw[_IDENTIFY_AT:][:512])


def parse_rotation_rate(raw: bytes) -> int | None:
    """MEDIUM ROTATION RATE of the page Block Device Characteristics: per minute, 0: does not rotate, None: not stated.
    Raises BadInput."""
    contents = page_contents(raw, BLOCK_DEVICE_CHARACTERISTICS)
    if len(contents) < 2:
        raise BadInput(f"INQUIRY page {BLOCK_DEVICE_CHARACTERISTICS:02X}h", [Problem("byte 4", "no rotation rate")])
    rate = int.from_bytes(contents[:2])
    if rate == 1:
        return 0
    return rate if 0x0401 <= rate <= 0xFFFE else None


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """In logical blocks; 0: no limit stated (``unmap_blocks``: UNMAP is not supported)."""

    transfer_blocks: int
    unmap_blocks: int


def parse_block_limits(raw: bytes) -> BlockLimits:
    """Raises BadInput."""
    contents = page_contents(raw, BLOCK_LIMITS)
    if len(contents) < 12:
        raise BadInput(f"INQUIRY page {BLOCK_LIMITS:02X}h", [Problem("", f"{len(contents)} bytes")])
    return BlockLimits(int.from_bytes(contents[4:8]), int.from_bytes(contents[16:20]))


@dataclass(frozen=True, slots=True)
class Provisioning:
    """``unmap``: UNMAP is supported; ``reads_zeros``: unmapped blocks read as zeros."""

    unmap: bool
    reads_zeros: bool


def parse_provisioning(raw: bytes) -> Provisioning:
    """Raises BadInput."""
    contents = page_contents(raw, LOGICAL_BLOCK_PROVISIONING)
    if len(contents) < 2:
        raise BadInput(f"INQUIRY page {LOGICAL_BLOCK_PROVISIONING:02X}h", [Problem("", f"{len(contents)} bytes")])
    return Provisioning(bool(contents[1] & 0x80), contents[1] >> 2 & 7 == 1)


def _text(raw: bytes) -> str:
    return printable_text(raw.decode("ascii", errors="replace").strip(" \0"))
