"""CRC of packets: CRC-16/X-25, reflected polynomial 0x8408, initial value 0xFFFF, result inverted.

Source: data sheets of CFA-631 and CFA-635, "Sample Algorithms To Calculate The CRC".
"""

from __future__ import annotations

_POLYNOMIAL = 0x8408


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = tuple(map(_entry, range(256)))


def crc(data: bytes) -> int:
    """Return the CRC. A packet has its low byte first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFF
