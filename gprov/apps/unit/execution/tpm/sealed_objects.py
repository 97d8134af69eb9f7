"""Sealed objects of a TPM below its storage root key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.unit.execution.tpm.conversation import TPM, TpmConversation
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.formats.tpm.objects import (
    MAX_SEALED,
    STORAGE_ROOT_KEY,
    SealedObject,
    create_sealed,
    create_storage_root_key,
    load,
    make_persistent,
    parse_created,
    parse_handle,
    parse_unsealed,
)
from gprov.domain.formats.tpm.objects import (
    unseal as unseal_command,
)
from gprov.domain.formats.tpm.policy import parse_pcrs, pcr_policy, pcr_read
from gprov.domain.formats.tpm.structures import SHA256_BYTES
from gprov.domain.unit.cap import CAP_PCR
from gprov.domain.unit.sealed_file import MAX_PARTS, SealedSecret


def seal(conversation: TpmConversation, content: bytes, pcrs: frozenset[int]) -> SealedSecret:
    """``pcrs``: with that of the cap. Raises DeviceFault, BadInput."""
    if not 0 < len(content) <= MAX_SEALED * MAX_PARTS:
        raise DeviceFault(TPM, f"seals 1 to {MAX_SEALED * MAX_PARTS} bytes, not {len(content)}")
    policy = pcr_policy(_values_at_start(conversation, pcrs))
    pieces = [content[start : start + MAX_SEALED] for start in range(0, len(content), MAX_SEALED)]
    with _storage_root_key(conversation) as key:
        parts = [parse_created(conversation.ask("TPM2_Create", create_sealed(key, piece, policy))) for piece in pieces]
        # Later it is used from there, also if the hierarchy has a password by then. A handle that is taken, or no room,
        # is no loss: the key is then made again each time.
        conversation.send(make_persistent(key, STORAGE_ROOT_KEY))
    return SealedSecret(pcrs, tuple(parts))


def unseal(conversation: TpmConversation, secret: SealedSecret) -> bytes:
    """Raises DeviceFault, BadInput."""
    try:
        return _unseal_below(conversation, STORAGE_ROOT_KEY, secret)
    except DeviceFault as first:
        # Nothing is there, or another key.
        try:
            with _storage_root_key(conversation) as key:
                return _unseal_below(conversation, key, secret)
        except DeviceFault as second:
            raise second from first


def _unseal_below(conversation: TpmConversation, key: int, secret: SealedSecret) -> bytes:
    return b"".join(_unseal_part(conversation, key, part, secret.pcrs) for part in secret.parts)


def _unseal_part(conversation: TpmConversation, key: int, part: SealedObject, pcrs: frozenset[int]) -> bytes:
    loaded = parse_handle(conversation.ask("TPM2_Load", load(key, part)))
    with conversation.flushed(loaded) as item, conversation.policy_session(pcrs) as session:
        return parse_unsealed(conversation.ask("TPM2_Unseal", unseal_command(item, session)))


@contextmanager
def _storage_root_key(conversation: TpmConversation) -> Iterator[int]:
    """Raises DeviceFault: above all if the owner hierarchy has a password."""
    made = conversation.ask("TPM2_CreatePrimary", create_storage_root_key())
    with conversation.flushed(parse_handle(made)) as key:
        yield key


def _values_at_start(conversation: TpmConversation, pcrs: frozenset[int]) -> dict[int, bytes]:
    """Values of PCRs. Raises DeviceFault if that of the cap is not as after a start of the machine."""
    try:
        values = parse_pcrs(conversation.ask("TPM2_PCR_Read", pcr_read(pcrs)), pcrs)
    except BadInput as error:
        raise DeviceFault(TPM, f"cannot seal: {error.problems[0]}") from error
    if values[CAP_PCR] != bytes(SHA256_BYTES):
        raise DeviceFault(TPM, f"cannot seal: PCR {CAP_PCR} was extended since the start, by the firmware or a loader")
    return values
