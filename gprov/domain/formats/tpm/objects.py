"""Keys and sealed data of a TPM 2.0 (TCG TPM 2.0 Library, Part 3, clauses 12, 24 and 28)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gprov.domain.formats.tpm.commands import OWNER, CommandCode, authorized, plain
from gprov.domain.formats.tpm.structures import (
    NO_ALGORITHM,
    SHA256,
    parameters,
    pcr_selection,
    sized,
    u16,
    u32,
)

# Where the storage root key is kept, if it is (TCG TPM v2.0 Provisioning Guidance 1.0, 7.8).
STORAGE_ROOT_KEY = 0x81000001
# MAX_SYM_DATA: the most that one object seals.
MAX_SEALED = 128
# More than the private and public part of an object with so much data has.
MAX_PART = 512

_ECC, _KEYED_HASH, _AES, _CFB, _NIST_P256 = 0x0023, 0x0008, 0x0006, 0x0043, 0x0003
# TPMA_OBJECT (Part 2, 8.3)
_FIXED_TPM, _FIXED_PARENT, _SENSITIVE_DATA_ORIGIN, _USER_WITH_AUTH = 1 << 1, 1 << 4, 1 << 5, 1 << 6
_NO_DA, _RESTRICTED, _DECRYPT = 1 << 10, 1 << 16, 1 << 17
_KEY = _FIXED_TPM | _FIXED_PARENT | _SENSITIVE_DATA_ORIGIN | _USER_WITH_AUTH | _NO_DA | _RESTRICTED | _DECRYPT
# Without _USER_WITH_AUTH the policy is the only way to the data. _NO_DA: no lockout after wrong passwords of others.
_DATA = _FIXED_TPM | _FIXED_PARENT | _NO_DA
_NO_PASSWORD_NO_DATA = sized(sized(b"") + sized(b""))
_NO_OUTSIDE_INFO_NO_PCRS = sized(b"") + pcr_selection(())


@dataclass(frozen=True, slots=True)
class SealedObject:
    """``public``: TPMT_PUBLIC; ``private``: encrypted by the TPM, of no use to any other."""

    public: bytes
    private: bytes = field(repr=False)


def create_storage_root_key() -> bytes:
    """TPM2_CreatePrimary (Part 3, 24.1) in the owner hierarchy: the same key each time, until the TPM is cleared.
    Template of an ECC storage root key (TCG TPM v2.0 Provisioning Guidance 1.0, 7.5.1)."""
    symmetric = struct.pack(">HHH", _AES, 128, _CFB)
    curve = struct.pack(">HHH", NO_ALGORITHM, _NIST_P256, NO_ALGORITHM)
    unique = sized(bytes(32)) + sized(bytes(32))
    public = struct.pack(">HHI", _ECC, SHA256, _KEY) + sized(b"") + symmetric + curve + unique
    content = _NO_PASSWORD_NO_DATA + sized(public) + _NO_OUTSIDE_INFO_NO_PCRS
    return authorized(CommandCode.CREATE_PRIMARY, (OWNER,), content)


def parse_handle(content: bytes) -> int:
    """Handle in the reply to TPM2_CreatePrimary or TPM2_Load. Raises BadInput."""
    return parameters(content, handle=True)[0]


def create_sealed(parent: int, data: bytes, policy: bytes) -> bytes:
    """TPM2_Create (Part 3, 12.1): seal at most ``MAX_SEALED`` bytes below the key ``parent``."""
    public = struct.pack(">HHI", _KEYED_HASH, SHA256, _DATA) + sized(policy) + u16(NO_ALGORITHM) + sized(b"")
    content = sized(sized(b"") + sized(data)) + sized(public) + _NO_OUTSIDE_INFO_NO_PCRS
    return authorized(CommandCode.CREATE, (parent,), content)


def parse_created(content: bytes) -> SealedObject:
    """Raises BadInput."""
    reader = parameters(content)[1]
    private = reader.sized()
    return SealedObject(reader.sized(), private)


def load(parent: int, item: SealedObject) -> bytes:
    """TPM2_Load (Part 3, 12.2)."""
    return authorized(CommandCode.LOAD, (parent,), sized(item.private) + sized(item.public))


def unseal(item: int, session: int) -> bytes:
    """TPM2_Unseal (Part 3, 12.7) with a policy session, which ends if it succeeds."""
    return authorized(CommandCode.UNSEAL, (item,), b"", session)


def parse_unsealed(content: bytes) -> bytes:
    """Raises BadInput."""
    reader = parameters(content)[1]
    data = reader.sized()
    reader.end()
    return data


def flush_context(handle: int) -> bytes:
    """TPM2_FlushContext (Part 3, 28.4): remove an object or session from the TPM's memory."""
    return plain(CommandCode.FLUSH_CONTEXT, u32(handle))


def make_persistent(item: int, handle: int) -> bytes:
    """TPM2_EvictControl (Part 3, 28.5): keep a copy of an object at a persistent handle that is free."""
    return authorized(CommandCode.EVICT_CONTROL, (OWNER, item), u32(handle))
