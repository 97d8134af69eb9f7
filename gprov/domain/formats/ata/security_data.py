"""Data sector of SECURITY SET PASSWORD, UNLOCK, DISABLE PASSWORD and ERASE UNIT (ACS-4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.commands import SECTOR

PASSWORD_SIZE = 32
_PASSWORD_AT = 2
_MASTER = 0x0001
_ENHANCED = 0x0002
_MAXIMUM = 0x0100


class SecurityLevel(Enum):
    """HIGH: the master password unlocks the device as well. MAXIMUM: the master password only erases it."""

    HIGH = "high"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True)
class SecurityData:
    """``master``: the password is compared with (or sets) the master password, otherwise the user password.
    ``enhanced`` concerns ERASE UNIT, ``level`` concerns SET PASSWORD."""

    password: bytes = field(repr=False)
    master: bool = False
    enhanced: bool = False
    level: SecurityLevel = SecurityLevel.HIGH


def security_sector(data: SecurityData) -> bytes:
    """512 bytes. Raises BadInput for a password that is too long; a shorter one is filled with zeros."""
    if len(data.password) > PASSWORD_SIZE:
        raise BadInput("ATA password", [Problem("", f"has {len(data.password)} bytes, at most {PASSWORD_SIZE}")])
    control = _MASTER * data.master | _ENHANCED * data.enhanced | _MAXIMUM * (data.level is SecurityLevel.MAXIMUM)
    head = control.to_bytes(2, "little") + data.password.ljust(PASSWORD_SIZE, b"\0")
    return head.ljust(SECTOR, b"\0")


def parse_security_sector(raw: bytes) -> SecurityData:
    """Raises BadInput for another size than 512 bytes."""
    if len(raw) != SECTOR:
        raise BadInput("ATA security data", [Problem("", f"{len(raw)} bytes instead of {SECTOR}")])
    control = int.from_bytes(raw[:2], "little")
    return SecurityData(
        password=raw[_PASSWORD_AT : _PASSWORD_AT + PASSWORD_SIZE],
        master=bool(control & _MASTER),
        enhanced=bool(control & _ENHANCED),
        level=SecurityLevel.MAXIMUM if control & _MAXIMUM else SecurityLevel.HIGH,
    )
