"""PCRs of a TPM 2.0, and policies that bind to their values (TCG TPM 2.0 Library, Part 3, clauses 11, 22 and 23)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.tpm.commands import CommandCode, authorized, plain
from gprov.domain.formats.tpm.structures import (
    NO_ALGORITHM,
    SHA256,
    SHA256_BYTES,
    ReplyReader,
    pcr_selection,
    sized,
    u16,
    u32,
)

_NULL_HANDLE = 0x40000007
_POLICY_SESSION = 1
# The session neither encrypts nor computes an HMAC: its nonces protect nothing.
_NONCE = bytes(16)


def start_policy_session() -> bytes:
    """TPM2_StartAuthSession (Part 3, 11.1): neither bound nor salted."""
    content = sized(_NONCE) + sized(b"") + bytes([_POLICY_SESSION]) + u16(NO_ALGORITHM) + u16(SHA256)
    return plain(CommandCode.START_AUTH_SESSION, u32(_NULL_HANDLE) + u32(_NULL_HANDLE) + content)


def parse_session(content: bytes) -> int:
    """Handle of the session. Raises BadInput."""
    reader = ReplyReader(content)
    handle = reader.u32()
    reader.sized()
    reader.end()
    return handle


def policy_pcr(session: int, pcrs: frozenset[int]) -> bytes:
    """TPM2_PolicyPCR (Part 3, 23.7) with the values that the PCRs have now."""
    return plain(CommandCode.POLICY_PCR, u32(session) + sized(b"") + pcr_selection(pcrs))


def pcr_policy(values: Mapping[int, bytes]) -> bytes:
    """SHA-256 of the policy that PCRs of the SHA-256 bank have these values: what a session has after TPM2_PolicyPCR
    as its only command (Part 3, 23.7.1)."""
    content = b"".join(values[pcr] for pcr in sorted(values))
    step = u32(CommandCode.POLICY_PCR) + pcr_selection(values) + hashlib.sha256(content).digest()
    return hashlib.sha256(bytes(SHA256_BYTES) + step).digest()


def pcr_read(pcrs: frozenset[int]) -> bytes:
    """TPM2_PCR_Read (Part 3, 22.4). A TPM returns as many as its reply holds, at least eight."""
    return plain(CommandCode.PCR_READ, pcr_selection(pcrs))


def parse_pcrs(content: bytes, pcrs: frozenset[int]) -> dict[int, bytes]:
    """Values by PCR. Raises BadInput, also if the TPM did not return all of them: it has no SHA-256 bank."""
    reader = ReplyReader(content)
    reader.u32()
    selection = pcr_selection(pcrs)
    if reader.raw(len(selection)) != selection:
        raise BadInput("TPM reply", [Problem("PCRs", "the TPM has no values of them in a SHA-256 bank")])
    if (count := reader.u32()) != len(pcrs):
        raise BadInput("TPM reply", [Problem("PCRs", f"{count} values of {len(pcrs)}")])
    found = {pcr: reader.sized() for pcr in sorted(pcrs)}
    reader.end()
    if any(len(value) != SHA256_BYTES for value in found.values()):
        raise BadInput("TPM reply", [Problem("PCRs", f"a value has not {SHA256_BYTES} bytes")])
    return found


def pcr_extend(pcr: int, digest: bytes) -> bytes:
    """TPM2_PCR_Extend (Part 3, 22.2) of the SHA-256 bank: its value becomes SHA-256(value || digest)."""
    return authorized(CommandCode.PCR_EXTEND, (pcr,), u32(1) + u16(SHA256) + digest)
