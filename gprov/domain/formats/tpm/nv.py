"""Non-volatile indices of a TPM 2.0 (TCG TPM 2.0 Library, Part 3, clause 31): a few bytes each, with attributes."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.tpm.commands import OWNER, CommandCode, authorized, plain
from gprov.domain.formats.tpm.structures import SHA256, ReplyReader, parameters, sized, u16, u32

# TPMA_NV (Part 2, 13.4): written with a policy only, read by everyone; no lockout after wrong passwords of others.
_POLICY_WRITE, _OWNER_READ, _AUTH_READ, _NO_DA = 1 << 3, 1 << 17, 1 << 18, 1 << 25
_WRITTEN = 1 << 29
ATTRIBUTES = _POLICY_WRITE | _OWNER_READ | _AUTH_READ | _NO_DA


@dataclass(frozen=True, slots=True, kw_only=True)
class NvPublic:
    """Public area of an index (TPMS_NV_PUBLIC). ``policy``: who may write; ``size``: bytes of data."""

    index: int
    name_algorithm: int = SHA256
    attributes: int = ATTRIBUTES
    policy: bytes
    size: int

    @property
    def written(self) -> bool:
        """Has it ever been written since it was defined?"""
        return bool(self.attributes & _WRITTEN)

    def is_as_defined(self, wanted: NvPublic) -> bool:
        """Is it ``wanted``, written or not?"""
        return _content(self, self.attributes & ~_WRITTEN) == _content(wanted, wanted.attributes)


def nv_define(public: NvPublic) -> bytes:
    """TPM2_NV_DefineSpace (Part 3, 31.3), with an empty password for reading."""
    content = sized(b"") + sized(_content(public, public.attributes))
    return authorized(CommandCode.NV_DEFINE_SPACE, (OWNER,), content)


def nv_undefine(index: int) -> bytes:
    """TPM2_NV_UndefineSpace (Part 3, 31.4)."""
    return authorized(CommandCode.NV_UNDEFINE_SPACE, (OWNER, index), b"")


def nv_read_public(index: int) -> bytes:
    """TPM2_NV_ReadPublic (Part 3, 31.6)."""
    return plain(CommandCode.NV_READ_PUBLIC, u32(index))


def parse_nv_public(content: bytes) -> NvPublic:
    """Raises BadInput."""
    reply = ReplyReader(content)
    area = ReplyReader(reply.sized())
    reply.sized()
    reply.end()
    index, algorithm, attributes = area.u32(), area.u16(), area.u32()
    policy, size = area.sized(), area.u16()
    area.end()
    return NvPublic(index=index, name_algorithm=algorithm, attributes=attributes, policy=policy, size=size)


def nv_read(index: int, size: int) -> bytes:
    """TPM2_NV_Read (Part 3, 31.13) from the beginning, with the empty password of the index."""
    return authorized(CommandCode.NV_READ, (index, index), u16(size) + u16(0))


def parse_nv_data(content: bytes) -> bytes:
    """Raises BadInput."""
    reader = parameters(content)[1]
    data = reader.sized()
    reader.end()
    return data


def nv_write(index: int, data: bytes, session: int) -> bytes:
    """TPM2_NV_Write (Part 3, 31.7) from the beginning, with a policy session, which ends if it succeeds."""
    return authorized(CommandCode.NV_WRITE, (index, index), sized(data) + u16(0), session)


def _content(public: NvPublic, attributes: int) -> bytes:
    return u32(public.index) + u16(public.name_algorithm) + u32(attributes) + sized(public.policy) + u16(public.size)
