"""A simulated TPM: its state over restarts, and the commands that gprov sends to one."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_CLEAR, _GET_CAPABILITY = 0x126, 0x17A
_SUCCESS, _RETRY, _BAD_SIZE, _BAD_COMMAND, _AUTH_FAIL, _DISABLED = 0, 0x922, 0x142, 0x143, 0x98E, 0x120
_HANDLES, _PROPERTIES, _PERMANENT = 1, 6, 0x200
# Lockout hierarchy, and a session of 9 bytes with an empty password.
_AUTHORIZED = bytes.fromhex("4000000a 00000009 40000009 0000 00 0000")


@dataclass(kw_only=True)
class FakeTpmChip:
    """``persistent``: handles; those from 0x81800000 on are of the firmware. ``owned``: passwords of owner and
    endorsement hierarchy are set. ``busy``: how many times it asks for a command again. ``ignores_clear``: it accepts
    TPM2_Clear and does nothing. ``presence``: the firmware has the physical presence interface; ``requested``: an
    operation is pending there."""

    version: int = 2
    persistent: list[int] = field(default_factory=lambda: [0x81000001, 0x81010001, 0x81800001])
    owned: bool = True
    lockout_password: bool = False
    clear_disabled: bool = False
    busy: int = 0
    ignores_clear: bool = False
    presence: bool = False
    requested: bool = False
    received: list[bytes] = field(default_factory=list)

    @property
    def holds_owner_data(self) -> bool:
        return self.owned or any(handle < 0x81800000 for handle in self.persistent)

    def reply_to(self, command: bytes) -> bytes:
        self.received.append(command)
        _tag, size, code = struct.unpack_from(">HII", command)
        if size != len(command):
            return _reply(_BAD_SIZE)
        if self.busy:
            self.busy -= 1
            return _reply(_RETRY)
        if code == _CLEAR:
            return _reply(self._clear(command[10:]))
        if code == _GET_CAPABILITY:
            return _reply(_SUCCESS, self._capability(*struct.unpack(">III", command[10:])))
        return _reply(_BAD_COMMAND)

    def _clear(self, authorization: bytes) -> int:
        if self.clear_disabled:
            return _DISABLED
        if authorization != _AUTHORIZED or self.lockout_password:
            return _AUTH_FAIL
        if not self.ignores_clear:
            self.forget()
        return _SUCCESS

    def forget(self) -> None:
        self.owned = self.lockout_password = self.clear_disabled = False
        self.persistent = [handle for handle in self.persistent if handle >= 0x81800000]

    def _capability(self, capability: int, first: int, count: int) -> bytes:
        if capability == _PROPERTIES:
            bits = 0b011 * self.owned | 0b100 * self.lockout_password | 0x100 * self.clear_disabled
            return struct.pack(">BIIII", 0, _PROPERTIES, 1, _PERMANENT, bits)
        found = [handle for handle in self.persistent if handle >= first][:count]
        return struct.pack(f">BII{len(found)}I", 0, _HANDLES, len(found), *found)


def _reply(code: int, content: bytes = b"") -> bytes:
    return struct.pack(">HII", 0x8001, 10 + len(content), code) + content
