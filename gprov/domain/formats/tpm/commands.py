"""Commands of a TPM 2.0 (TCG TPM 2.0 Library, Part 1 clause 18, Part 2, Part 3): big-endian, with a header of tag
(u16), size of the whole command (u32) and command code (u32)."""

from __future__ import annotations

import struct
from enum import IntEnum

_HEADER = struct.Struct(">HII")
_NO_SESSIONS = 0x8001
_SESSIONS = 0x8002
# Session handle that stands for a password; it is followed by nonce (empty), attributes, and the password (empty).
_PASSWORD_SESSION = 0x40000009
_EMPTY_PASSWORD = struct.pack(">IHBH", _PASSWORD_SESSION, 0, 0, 0)

LOCKOUT = 0x4000000A


class CommandCode(IntEnum):
    CLEAR = 0x126
    GET_CAPABILITY = 0x17A


class Capability(IntEnum):
    HANDLES = 1
    TPM_PROPERTIES = 6


# Property with the attributes that survive a restart (TPMA_PERMANENT), and the first handle of a persistent object.
PERMANENT = 0x200
FIRST_PERSISTENT = 0x81000000
# From here on persistent objects are those of the firmware, which TPM2_Clear leaves (Part 2, 7.5).
FIRST_OF_PLATFORM = 0x81800000


def clear() -> bytes:
    """TPM2_Clear (Part 3, 24.6) with the authorization of the lockout hierarchy: the one of the firmware is closed once
    an operating system runs. It works only if the password of the lockout hierarchy is empty."""
    session = struct.pack(">I", len(_EMPTY_PASSWORD)) + _EMPTY_PASSWORD
    return _command(_SESSIONS, CommandCode.CLEAR, struct.pack(">I", LOCKOUT) + session)


def get_capability(capability: Capability, first: int, count: int) -> bytes:
    """TPM2_GetCapability (Part 3, 30.2). ``first``: property or handle to begin with; ``count``: at most so many."""
    return _command(_NO_SESSIONS, CommandCode.GET_CAPABILITY, struct.pack(">III", capability, first, count))


def _command(tag: int, code: CommandCode, content: bytes) -> bytes:
    return _HEADER.pack(tag, _HEADER.size + len(content), code) + content
