"""Registers that commands of the Sanitize Device feature set return (ACS-4, SANITIZE STATUS EXT)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.registers import AtaRegisters

_COMPLETED = 0x8000
_IN_PROGRESS = 0x4000
_FROZEN = 0x2000
_ANTIFREEZE = 0x1000
_PROGRESS_UNITS = 0x10000


class SanitizeError(Enum):
    """SANITIZE DEVICE ERROR REASON of a failed command."""

    NOT_REPORTED = 0
    UNSUCCESSFUL = 1
    UNSUPPORTED = 2
    FROZEN = 3
    ANTIFREEZE = 4

    def describe(self) -> str:
        return _REASONS[self]


_REASONS = {
    SanitizeError.NOT_REPORTED: "no reason reported",
    SanitizeError.UNSUCCESSFUL: "the sanitize operation did not reach all physical sectors",
    SanitizeError.UNSUPPORTED: "the drive does not support this sanitize operation",
    SanitizeError.FROZEN: "sanitize operations are frozen until the drive's power is switched off and on",
    SanitizeError.ANTIFREEZE: "the antifreeze lock is set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SanitizeStatus:
    """``completed``: the last operation ended without error. ``progress``: fraction of the operation that is in
    progress, from 0 to 1."""

    completed: bool = False
    in_progress: bool = False
    frozen: bool = False
    antifreeze: bool = False
    progress: float = 0.0


def parse_sanitize_status(registers: AtaRegisters) -> SanitizeStatus:
    """Raises BadInput if the command failed, or if its high bytes were not transported: they hold the status."""
    problems = []
    if registers.failed:
        problems.append(Problem("status", f"the command failed: {registers.describe()}"))
    if not registers.complete:
        problems.append(Problem("count", "bits 8 to 15 were not transported"))
    if problems:
        raise BadInput("ATA sanitize status", problems)
    in_progress = bool(registers.count & _IN_PROGRESS)
    return SanitizeStatus(
        completed=bool(registers.count & _COMPLETED),
        in_progress=in_progress,
        frozen=bool(registers.count & _FROZEN),
        antifreeze=bool(registers.count & _ANTIFREEZE),
        progress=(registers.lba & 0xFFFF) / _PROGRESS_UNITS if in_progress else 0.0,
    )


def sanitize_error(registers: AtaRegisters) -> SanitizeError:
    """Reason of a failed command. Values without a meaning are NOT_REPORTED."""
    reason = registers.lba & 0xFF
    known = {error.value: error for error in SanitizeError}
    return known.get(reason, SanitizeError.NOT_REPORTED)
