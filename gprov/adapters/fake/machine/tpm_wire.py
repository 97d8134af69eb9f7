"""Commands and replies of a simulated TPM, taken apart and put together."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SESSIONS = 0x8002
_PASSWORD_SESSION = 0x40000009
# Handles in front of the sessions, by command code; those without sessions have none here.
_HANDLES = {0x12A: 1, 0x122: 2, 0x14E: 2, 0x137: 2, 0x120: 2, 0x131: 1, 0x153: 1, 0x157: 1, 0x15E: 1, 0x182: 1}


class TpmRefusal(Exception):
    """``code``: response code."""

    def __init__(self, code: int) -> None:
        super().__init__(hex(code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Command:
    """``session``: handle of its policy session, None with the empty password or without sessions."""

    code: int
    handles: tuple[int, ...]
    session: int | None
    parameters: bytes


def split(command: bytes) -> Command:
    tag, _size, code = struct.unpack_from(">HII", command)
    if tag != _SESSIONS:
        return Command(code, (), None, command[10:])
    count = _HANDLES[code]
    handles = struct.unpack_from(f">{count}I", command, 10)
    start = 10 + 4 * count
    length, session = struct.unpack_from(">II", command, start)
    return Command(code, handles, None if session == _PASSWORD_SESSION else session, command[start + 4 + length :])


def reply(code: int, parameters: bytes = b"", *, handle: int | None = None, sessions: bool = False) -> bytes:
    if code == 0 and sessions:
        front = b"" if handle is None else struct.pack(">I", handle)
        # Sessions of a reply: nonce, attributes, HMAC.
        parameters = front + struct.pack(">I", len(parameters)) + parameters + bytes(5)
    return struct.pack(">HII", _SESSIONS if sessions else 0x8001, 10 + len(parameters), code) + parameters


def sized(content: bytes) -> bytes:
    return struct.pack(">H", len(content)) + content


def take_sized(content: bytes) -> tuple[bytes, bytes]:
    """The first sized part, and what is behind it."""
    length = int.from_bytes(content[:2], "big")
    return content[2 : 2 + length], content[2 + length :]
