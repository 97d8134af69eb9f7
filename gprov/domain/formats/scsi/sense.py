"""SCSI sense data in fixed and descriptor format (SPC-4), with the registers of an ATA device (SAT-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.registers import AtaRegisters

_FIXED = (0x70, 0x71)
_DESCRIPTOR = (0x72, 0x73)
_DEFERRED = (0x71, 0x73)
_FIXED_SIZE = 8
_DESCRIPTORS_AT = 8
_SENSE_KEY_SPECIFIC = 0x02
_ATA_STATUS_RETURN = 0x09
_ATA_STATUS_SIZE = 14
_SENSE_KEY_VALID = 0x80
_ATA_ERROR = 0x41
_PROGRESS_UNITS = 0x10000


class SenseKey(IntEnum):
    NO_SENSE = 0x0
    RECOVERED_ERROR = 0x1
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    ABORTED_COMMAND = 0xB


# Additional sense code and its qualifier.
Code = tuple[int, int]
ATA_INFORMATION_AVAILABLE: Code = (0x00, 0x1D)
FORMAT_IN_PROGRESS: Code = (0x04, 0x04)
SANITIZE_IN_PROGRESS: Code = (0x04, 0x1B)
SANITIZE_FAILED: Code = (0x31, 0x03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """``key``: SENSE KEY, see ``SenseKey``; ``code``: additional sense code and qualifier. ``deferred``: concerns an
    earlier command. ``progress``: fraction from 0 to 1. ``ata``: registers of the ATA device behind a translation."""

    key: int
    code: Code
    deferred: bool = False
    progress: float | None = None
    ata: AtaRegisters | None = None

    def describe(self) -> str:
        return f"sense key {self.key:X}h, code {self.code[0]:02X}h/{self.code[1]:02X}h"


def parse_sense(raw: bytes) -> Sense:
    """``raw``: sense data, perhaps cut off. Raises BadInput for an unknown format, or without sense key and code."""
    response = raw[0] & 0x7F if raw else 0
    if response in _DESCRIPTOR and len(raw) >= 4:
        return _descriptor_format(raw, deferred=response in _DEFERRED)
    if response in _FIXED and len(raw) >= _FIXED_SIZE:
        return _fixed_format(raw, deferred=response in _DEFERRED)
    message = f"response code {response:02X}h, {len(raw)} bytes" if raw else "none"
    raise BadInput("SCSI sense data", [Problem("", message)])


def _descriptor_format(raw: bytes, *, deferred: bool) -> Sense:
    progress: float | None = None
    ata: AtaRegisters | None = None
    length = raw[7] if len(raw) > 7 else 0
    rest = raw[_DESCRIPTORS_AT : _DESCRIPTORS_AT + length]
    while len(rest) >= 2:
        descriptor, rest = rest[: rest[1] + 2], rest[rest[1] + 2 :]
        if descriptor[0] == _SENSE_KEY_SPECIFIC and len(descriptor) >= 8:
            progress = _progress(descriptor[4:7])
        elif descriptor[0] == _ATA_STATUS_RETURN and len(descriptor) >= _ATA_STATUS_SIZE:
            ata = _returned(_registers(descriptor))
    return Sense(key=raw[1] & 0x0F, code=(raw[2], raw[3]), deferred=deferred, progress=progress, ata=ata)


def _registers(raw: bytes) -> AtaRegisters:
    """The high bytes are valid for 48-bit commands only (EXTEND bit)."""
    extended = bool(raw[2] & 1)
    low = raw[11] << 16 | raw[9] << 8 | raw[7]
    high = raw[10] << 40 | raw[8] << 32 | raw[6] << 24
    return AtaRegisters(
        status=raw[13],
        error=raw[3],
        count=(raw[4] << 8 if extended else 0) | raw[5],
        lba=(high if extended else 0) | low,
        device=raw[12],
    )


def _fixed_format(raw: bytes, *, deferred: bool) -> Sense:
    # ADDITIONAL SENSE LENGTH: bytes behind it that are valid.
    valid = raw[: _FIXED_SIZE + raw[7]].ljust(18, b"\0")
    code = (valid[12], valid[13])
    return Sense(
        key=raw[2] & 0x0F,
        code=code,
        deferred=deferred,
        progress=_progress(valid[15:18]),
        ata=_returned(_fixed_registers(valid)) if code == ATA_INFORMATION_AVAILABLE or _aborted_by_ata(valid) else None,
    )


def _returned(registers: AtaRegisters) -> AtaRegisters | None:
    """A device that has ended a command has at least one bit of STATUS set. All zeros come from a layer in between
    that did not pass the registers on: QEMU, for one, converts descriptors to fixed format and keeps key and code."""
    return registers if registers.status else None


def _aborted_by_ata(raw: bytes) -> bool:
    """An aborted command keeps the code of its error; the registers show by a status with ERROR and DEVICE READY."""
    return raw[2] & 0x0F == SenseKey.ABORTED_COMMAND and raw[4] & _ATA_ERROR == _ATA_ERROR


def _fixed_registers(raw: bytes) -> AtaRegisters:
    """SAT-5: registers in INFORMATION and COMMAND-SPECIFIC INFORMATION; of a 48-bit command the high bytes are lost."""
    extended = bool(raw[8] & 0x80)
    return AtaRegisters(
        error=raw[3],
        status=raw[4],
        device=raw[5],
        count=raw[6],
        lba=raw[11] << 16 | raw[10] << 8 | raw[9],
        complete=not extended,
    )


def _progress(raw: bytes) -> float | None:
    """SENSE KEY SPECIFIC with its valid bit."""
    return int.from_bytes(raw[1:3]) / _PROGRESS_UNITS if raw[0] & _SENSE_KEY_VALID else None
