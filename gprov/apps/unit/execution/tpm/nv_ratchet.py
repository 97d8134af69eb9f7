"""A number in a non-volatile index of the TPM that gprov only ever raises.

The index is an ordinary one of eight bytes, written under the policy that the cap is not set: the running system can
read it, and cannot write it. A counter of the TPM is not used: it counts in ones (a security version may be a date), it
starts above the highest of all counters that the TPM ever had, and a right to remove an ordinary index is one to
remove a counter, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.execution.tpm.conversation import TpmConversation
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.tpm.nv import (
    NvPublic,
    nv_define,
    nv_read,
    nv_read_public,
    nv_undefine,
    nv_write,
    parse_nv_data,
    parse_nv_public,
)
from gprov.domain.formats.tpm.policy import pcr_policy
from gprov.domain.formats.tpm.replies import SUCCESS
from gprov.domain.formats.tpm.structures import SHA256_BYTES
from gprov.domain.unit.cap import CAP_PCR

_BYTES = 8
MAX_VALUE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NvNumber:
    """``value``: None if there is none. ``problem``: why, if it is not that nothing was ever defined; "" otherwise."""

    value: int | None
    problem: str = ""


def read_number(conversation: TpmConversation, index: int) -> NvNumber:
    """Raises DeviceFault, BadInput."""
    found = _public(conversation, index)
    if found is None:
        return NvNumber(None)
    if not found.is_as_defined(_wanted(index)):
        return NvNumber(None, f"index {index:#x} of the TPM was not defined by gprov")
    if not found.written:
        return NvNumber(None, f"index {index:#x} of the TPM was never written")
    value = int.from_bytes(parse_nv_data(conversation.ask("TPM2_NV_Read", nv_read(index, _BYTES))), "big")
    if value > MAX_VALUE:
        return NvNumber(None, f"index {index:#x} of the TPM holds no number that gprov writes")
    return NvNumber(value)


def raise_number(conversation: TpmConversation, index: int, value: int) -> None:
    """Afterwards its value is ``value``, or what it was if that is more. Raises DeviceFault, also once the cap is set;
    BadInput."""
    if not 0 <= value <= MAX_VALUE:
        raise DeviceFault("TPM", f"holds numbers up to {MAX_VALUE}, not {value}")
    before = read_number(conversation, index)
    if not before.problem and (before.value or 0) >= value:
        return
    wanted, found = _wanted(index), _public(conversation, index)
    if found is not None and not found.is_as_defined(wanted):
        conversation.ask("TPM2_NV_UndefineSpace", nv_undefine(index))
        found = None
    if found is None:
        conversation.ask("TPM2_NV_DefineSpace", nv_define(wanted))
    with conversation.policy_session(frozenset((CAP_PCR,))) as session:
        conversation.ask("TPM2_NV_Write", nv_write(index, value.to_bytes(_BYTES, "big"), session))
    if read_number(conversation, index).value != value:
        raise DeviceFault("TPM", f"index {index:#x} does not return what was written")


def _wanted(index: int) -> NvPublic:
    return NvPublic(index=index, policy=pcr_policy({CAP_PCR: bytes(SHA256_BYTES)}), size=_BYTES)


def _public(conversation: TpmConversation, index: int) -> NvPublic | None:
    """None if the index is not defined."""
    reply = conversation.send(nv_read_public(index))
    if reply.no_such_handle:
        return None
    if reply.code != SUCCESS:
        raise DeviceFault("TPM", f"TPM2_NV_ReadPublic: {reply.describe('owner')}")
    return parse_nv_public(reply.content)
