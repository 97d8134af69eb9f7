"""Commands of a TPM 2.0 (TCG TPM 2.0 Library, Part 1 clause 18, Part 2, Part 3): big-endian, with a header of tag
(u16), size of the whole command (u32) and command code (u32); then handles, sessions and parameters."""

from __future__ import annotations

import struct
from enum import IntEnum

_HEADER = struct.Struct(">HII")
_NO_SESSIONS = 0x8001
_SESSIONS = 0x8002
# Session handle that stands for a password; it is followed by nonce (empty), attributes, and the password (empty).
_PASSWORD_SESSION = 0x40000009

OWNER = 0x40000001
LOCKOUT = 0x4000000A


class CommandCode(IntEnum):
    EVICT_CONTROL = 0x120
    NV_UNDEFINE_SPACE = 0x122
    CLEAR = 0x126
    NV_DEFINE_SPACE = 0x12A
    CREATE_PRIMARY = 0x131
    NV_WRITE = 0x137
    NV_READ = 0x14E
    CREATE = 0x153
    LOAD = 0x157
    UNSEAL = 0x15E
    FLUSH_CONTEXT = 0x165
    NV_READ_PUBLIC = 0x169
    START_AUTH_SESSION = 0x176
    GET_CAPABILITY = 0x17A
    PCR_READ = 0x17E
    POLICY_PCR = 0x17F
    PCR_EXTEND = 0x182


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
    return authorized(CommandCode.CLEAR, (LOCKOUT,), b"")


def get_capability(capability: Capability, first: int, count: int) -> bytes:
    """TPM2_GetCapability (Part 3, 30.2). ``first``: property or handle to begin with; ``count``: at most so many."""
    return plain(CommandCode.GET_CAPABILITY, struct.pack(">III", capability, first, count))


def plain(code: CommandCode, content: bytes) -> bytes:
    """A command without sessions. ``content``: handles and parameters."""
    return _command(_NO_SESSIONS, code, content)


def authorized(code: CommandCode, handles: tuple[int, ...], content: bytes, session: int | None = None) -> bytes:
    """A command whose first handle is used with the empty password, or with a policy session, which ends with this
    command. ``content``: the parameters."""
    one = struct.pack(">IHBH", _PASSWORD_SESSION if session is None else session, 0, 0, 0)
    return _command(_SESSIONS, code, struct.pack(f">{len(handles)}II", *handles, len(one)) + one + content)


def _command(tag: int, code: CommandCode, content: bytes) -> bytes:
    return _HEADER.pack(tag, _HEADER.size + len(content), code) + content
