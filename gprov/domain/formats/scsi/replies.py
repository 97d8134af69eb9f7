"""Data that READ CAPACITY (16) and REPORT SUPPORTED OPERATION CODES return (SBC-4, SPC-4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem

_CAPACITY_SIZE = 12
_SUPPORTED_SIZE = 2
SUPPORTED_CODE_SIZE = 4 + 16


class Support(Enum):
    """SUPPORT field. UNKNOWN: the drive cannot say it now."""

    UNKNOWN = 0
    NOT_SUPPORTED = 1
    SUPPORTED = 3
    VENDOR_SPECIFIC = 5


@dataclass(frozen=True, slots=True)
class Capacity:
    """``blocks``: number of logical blocks; ``block_size`` in bytes."""

    blocks: int
    block_size: int

    @property
    def size(self) -> int:
        return self.blocks * self.block_size


def parse_capacity_16(raw: bytes) -> Capacity:
    """Raises BadInput."""
    if len(raw) < _CAPACITY_SIZE:
        raise BadInput("READ CAPACITY (16) data", [Problem("", f"{len(raw)} bytes")])
    block_size = int.from_bytes(raw[8:12])
    if not block_size:
        raise BadInput("READ CAPACITY (16) data", [Problem("byte 8", "block size 0")])
    return Capacity(int.from_bytes(raw[:8]) + 1, block_size)


def parse_support(raw: bytes) -> Support:
    """Whether one command is supported. Raises BadInput; values without a meaning are UNKNOWN."""
    if len(raw) < _SUPPORTED_SIZE:
        raise BadInput("REPORT SUPPORTED OPERATION CODES data", [Problem("", f"{len(raw)} bytes")])
    known = {support.value: support for support in Support}
    return known.get(raw[1] & 0x07, Support.UNKNOWN)
