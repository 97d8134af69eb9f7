"""Structures in commands and replies of a TPM 2.0 (TCG TPM 2.0 Library, Part 2): big-endian integers, and byte strings
with their size in front (TPM2B)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

_WHAT = "TPM reply"
SHA256 = 0x000B
SHA256_BYTES = 32
# TPM_ALG_NULL
NO_ALGORITHM = 0x0010
# PCRs of a bank of a PC client: three octets of a bit for each.
PCR_COUNT = 24
_PCR_OCTETS = 3


def sized(content: bytes) -> bytes:
    """TPM2B: u16 size, then so many bytes."""
    return struct.pack(">H", len(content)) + content


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def pcr_selection(pcrs: Iterable[int]) -> bytes:
    """TPML_PCR_SELECTION of PCRs in the SHA-256 bank; no bank if there are none."""
    bits = sum(1 << pcr for pcr in frozenset(pcrs))
    if not bits:
        return u32(0)
    return u32(1) + u16(SHA256) + bytes([_PCR_OCTETS]) + bits.to_bytes(_PCR_OCTETS, "little")


@dataclass
class ReplyReader:
    """Takes values from the front of a reply's parameters. Each method raises BadInput if the reply is too short."""

    content: bytes
    place: int = 0

    def u16(self) -> int:
        return int.from_bytes(self.raw(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self.raw(4), "big")

    def u8(self) -> int:
        return self.raw(1)[0]

    def sized(self) -> bytes:
        return self.raw(self.u16())

    def raw(self, count: int) -> bytes:
        end = self.place + count
        if end > len(self.content):
            missing = f"{count} bytes at offset {self.place} are more than the {len(self.content)} of the reply"
            raise BadInput(_WHAT, [Problem("", missing)])
        found = self.content[self.place : end]
        self.place = end
        return found

    def end(self) -> None:
        """Raises BadInput if bytes are left."""
        if self.place != len(self.content):
            raise BadInput(_WHAT, [Problem("", f"{len(self.content) - self.place} bytes are left over")])


def parameters(content: bytes, *, handle: bool = False) -> tuple[int, ReplyReader]:
    """Handle (0 unless ``handle``) and parameters of the reply to a command with sessions: handle, u32 size of the
    parameters, parameters, sessions (Part 1, clause 18). Raises BadInput."""
    whole = ReplyReader(content)
    number = whole.u32() if handle else 0
    return number, ReplyReader(whole.raw(whole.u32()))
