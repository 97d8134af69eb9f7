"""Replies of a TPM 2.0: a header of tag (u16), size of the whole reply (u32) and response code (u32), then its
parameters (TCG TPM 2.0 Library, Part 1 clause 18, Part 2 clause 6.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.tpm.commands import Capability
from gprov.domain.formats.tpm.header import HEADER

SUCCESS = 0

_WHAT = "TPM reply"
# more data (u8), capability (u32), count (u32)
_CAPABILITY = struct.Struct(">BII")
# Bit 7: the code is about a handle, session or parameter, whose number is in bits 8 to 11.
_FORMAT_ONE = 0x80
_FORMAT_ONE_ERROR = 0xBF
_WARNINGS_AND_ERRORS = 0xFFF

# In format zero the whole code, in format one without the number of handle, session or parameter.
_AUTH_FAIL = 0x08E
_BAD_AUTH = 0x0A2
_LOCKOUT = 0x921
_HANDLE = 0x08B
_PASSWORDS = {
    _AUTH_FAIL: "is set; a wrong one was counted (TPM_RC_AUTH_FAIL)",
    _BAD_AUTH: "is set (TPM_RC_BAD_AUTH)",
}
_REASONS = {
    _HANDLE: "it has nothing at this handle (TPM_RC_HANDLE)",
    0x09D: "PCRs have other values, or another policy (TPM_RC_POLICY_FAIL)",
    0x09F: "it was made by another TPM, or before this one was cleared (TPM_RC_INTEGRITY)",
    0x128: "a PCR was changed meanwhile (TPM_RC_PCR_CHANGED)",
    0x14B: "its NVRAM is full (TPM_RC_NV_SPACE)",
    0x902: "it has no room for one more object (TPM_RC_OBJECT_MEMORY)",
    0x120: "TPM2_Clear is disabled, by TPM2_ClearControl (TPM_RC_DISABLED)",
    0x100: "it was not started (TPM_RC_INITIALIZE)",
    0x101: "it is in failure mode (TPM_RC_FAILURE)",
    0x143: "it does not have this command (TPM_RC_COMMAND_CODE)",
    _LOCKOUT: "it is in lockout after wrong passwords (TPM_RC_LOCKOUT)",
    0x923: "its NVRAM is not accessible (TPM_RC_NV_UNAVAILABLE)",
}
# RC_YIELDED, RC_TESTING, RC_NV_RATE, RC_RETRY: the same command later.
_LATER = frozenset({0x908, 0x90A, 0x920, 0x922})


@dataclass(frozen=True, slots=True)
class TpmReply:
    """``code``: response code, 0 for success. ``content``: what follows the header."""

    code: int
    content: bytes = field(default=b"", repr=False)

    @property
    def try_later(self) -> bool:
        return self.code in _LATER

    @property
    def no_such_handle(self) -> bool:
        return reason_number(self.code) == _HANDLE

    def describe(self, hierarchy: str) -> str:
        """The response code in words. ``hierarchy``: whose password the command was sent with."""
        number = reason_number(self.code)
        password = _PASSWORDS.get(number)
        known = f"the password of its {hierarchy} hierarchy {password}" if password else _REASONS.get(number)
        return f"{known}, response code {self.code:#x}" if known else f"response code {self.code:#x}"


def reason_number(code: int) -> int:
    """The code without the number of the handle, session or parameter that it is about."""
    return code & (_FORMAT_ONE_ERROR if code & _FORMAT_ONE else _WARNINGS_AND_ERRORS)


def parse_reply(data: bytes) -> TpmReply:
    """Raises BadInput."""
    if len(data) < HEADER.size:
        raise BadInput(_WHAT, [Problem("", f"{len(data)} bytes are too few for a header")])
    _tag, size, code = HEADER.unpack_from(data)
    if size != len(data):
        raise BadInput(_WHAT, [Problem("size", f"is {size}, and the reply has {len(data)} bytes")])
    return TpmReply(code, data[HEADER.size :])


def parse_properties(content: bytes) -> dict[int, int]:
    """Properties and values of a reply to TPM2_GetCapability. Raises BadInput."""
    return {pair[0]: pair[1] for pair in _capability(content, Capability.TPM_PROPERTIES, ">II")}


def parse_handles(content: bytes) -> tuple[int, ...]:
    """Handles of a reply to TPM2_GetCapability. Raises BadInput."""
    return tuple(value for [value] in _capability(content, Capability.HANDLES, ">I"))


def _capability(content: bytes, wanted: Capability, each: str) -> list[tuple[int, ...]]:
    if len(content) < _CAPABILITY.size:
        raise BadInput(_WHAT, [Problem("capability", f"{len(content)} bytes are too few")])
    _more, capability, count = _CAPABILITY.unpack_from(content)
    rest = content[_CAPABILITY.size :]
    if capability != wanted:
        raise BadInput(_WHAT, [Problem("capability", f"is {capability}, {wanted} was asked for")])
    if len(rest) != count * struct.calcsize(each):
        raise BadInput(_WHAT, [Problem("count", f"is {count}, which {len(rest)} bytes do not hold")])
    return list(struct.iter_unpack(each, rest))
