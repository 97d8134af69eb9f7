"""Sense data and replies that simulated drives return (SPC-4, SAT-5)."""

from __future__ import annotations

from gprov.domain.erase.drive_io import ScsiReply
from gprov.domain.formats.ata.registers import AtaRegisters

Code = tuple[int, int]

INVALID_OPCODE: Code = (0x20, 0x00)
INVALID_FIELD: Code = (0x24, 0x00)
OUT_OF_RANGE: Code = (0x21, 0x00)
INVALID_PARAMETER: Code = (0x26, 0x00)
MISCOMPARE: Code = (0x1D, 0x00)
PARAMETER_LENGTH: Code = (0x1A, 0x00)
POWER_ON: Code = (0x29, 0x00)
SANITIZE_IN_PROGRESS: Code = (0x04, 0x1B)
SANITIZE_FAILED: Code = (0x31, 0x03)
SECURITY_CONFLICT: Code = (0x74, 0x71)
_ATA_INFORMATION: Code = (0x00, 0x1D)
_NO_SPECIFIC = b"\0\0\0"
_FIXED_ADDITIONAL = 10


def good(data: bytes = b"") -> ScsiReply:
    return ScsiReply(0, data=data)


def check(key: int, code: Code, *, fixed: bool = True) -> ScsiReply:
    """CHECK CONDITION."""
    return ScsiReply(2, sense_data(key, code, fixed=fixed))


def illegal(code: Code) -> ScsiReply:
    return check(5, code)


def sense_data(key: int, code: Code, *, progress: float | None = None, fixed: bool = True) -> bytes:
    """``progress``: fraction, as PROGRESS INDICATION."""
    specific = _NO_SPECIFIC
    if progress is not None:
        specific = b"\x80" + min(0xFFFF, int(progress * 0x10000)).to_bytes(2)
    if fixed:
        return bytes([0x70, 0, key, 0, 0, 0, 0, _FIXED_ADDITIONAL, 0, 0, 0, 0, *code, 0]) + specific
    descriptor = b"\x02\x06\0\0" + specific + b"\0" if progress is not None else b""
    return bytes([0x72, key, *code, 0, 0, 0, len(descriptor)]) + descriptor


def ata_reply(registers: AtaRegisters, *, extended: bool, fixed: bool = False, data: bytes = b"") -> ScsiReply:
    """CHECK CONDITION with the registers of an ATA device."""
    aborted = bool(registers.status & 1)
    key, code = (0xB, (0, 0)) if aborted else (1, _ATA_INFORMATION)
    lba = registers.lba.to_bytes(6, "little")
    count = registers.count.to_bytes(2)
    if fixed:
        code = _ATA_INFORMATION
        flags = 0x80 * extended | 0x40 * bool(count[0]) | 0x20 * any(lba[3:])
        head = bytes([0x70, 0, key, registers.error, registers.status, registers.device, count[1]])
        return ScsiReply(2, head + bytes([_FIXED_ADDITIONAL, flags, *lba[:3], *code, 0, 0, 0, 0]), data)
    high = (lba[3], lba[4], lba[5]) if extended else (0, 0, 0)
    descriptor = [0x09, 0x0C, int(extended), registers.error, count[0] if extended else 0, count[1]]
    descriptor += [high[0], lba[0], high[1], lba[1], high[2], lba[2], registers.device, registers.status]
    return ScsiReply(2, bytes([0x72, key, *code, 0, 0, 0, len(descriptor), *descriptor]), data)
