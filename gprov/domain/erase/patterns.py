"""Contents that an overwrite pass writes.

The pattern is recorded in the certificate: a controller may store a repeated value without writing it to its flash,
and then reads it back correctly. ``Stamped`` differs in each sector, so that a drive must store it, and so that a drive
with less capacity than it states is noticed when it is read back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

# Stamped patterns repeat with this period, apart from the stamps.
PERIOD = 1 << 20
STAMP_UNIT = 512
STAMP_SIZE = 8


@dataclass(frozen=True, slots=True)
class Fill:
    """Every byte has the value ``byte``."""

    byte: int

    def describe(self) -> str:
        return f"0x{self.byte:02X}"


@dataclass(frozen=True, slots=True)
class Stamped:
    """A pseudo-random block of ``PERIOD`` bytes (SHAKE-128 of ``seed``), repeated; the first 8 bytes of each 512 bytes
    are their byte offset on the disk, big-endian. ``seed``: hexadecimal text, unpredictable before the pass."""

    seed: str

    def describe(self) -> str:
        return f"pseudo-random with sector offsets, seed {self.seed}"


Pattern = Fill | Stamped


def pattern_bytes(pattern: Pattern, offset: int, size: int) -> bytes:
    """The content of ``size`` bytes at byte ``offset`` of the disk; both are multiples of 512."""
    match pattern:
        case Fill():
            return bytes([pattern.byte]) * size
        case Stamped():
            return _stamped(pattern.seed, offset, size)


def _stamped(seed: str, offset: int, size: int) -> bytes:
    block = _block(seed)
    start = offset % PERIOD
    repeated = block * ((start + size) // PERIOD + 1)
    content = bytearray(repeated[start : start + size])
    for place in range(0, size, STAMP_UNIT):
        content[place : place + STAMP_SIZE] = (offset + place).to_bytes(STAMP_SIZE)
    return bytes(content)


@lru_cache(maxsize=4)
def _block(seed: str) -> bytes:
    return hashlib.shake_128(seed.encode()).digest(PERIOD)
