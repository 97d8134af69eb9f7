"""Header of a reply of a TPM 2.0: tag (u16), size of the whole reply (u32), response code (u32) (TCG TPM 2.0 Library,
Part 1 clause 18). Small, since every start of a unit with a TPM imports it.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct(">HII")
MAX_REPLY = 4096


def stated_size(data: bytes) -> int | None:
    """Size of the whole reply as its first bytes state it; None as long as they are too few."""
    return HEADER.unpack_from(data)[1] if len(data) >= HEADER.size else None


def states_success(data: bytes) -> bool:
    """Is it the whole reply to a command that was carried out?"""
    return stated_size(data) == len(data) and HEADER.unpack_from(data)[2] == 0
