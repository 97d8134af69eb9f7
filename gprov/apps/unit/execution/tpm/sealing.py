"""Seals secrets to the TPM: with a policy that holds from the machine's start until a PCR is extended, which happens
before the system is started."""

from __future__ import annotations

from typing_extensions import override

from gprov.apps.unit.execution.tpm.conversation import TPM
from gprov.apps.unit.execution.tpm.opening import TPM_2, conversation_with
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.tpm.policy import pcr_extend
from gprov.domain.unit.cap import CAP_DIGEST, CAP_PCR
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm
from gprov.ports.sealing import SecretSealing


class TpmSealing(SecretSealing):
    """``pcrs``: besides that of the cap, those whose values are part of the policy. Their values must be the same at
    each start for as long as the secret is needed."""

    def __init__(self, tpm: Tpm, clock: Clock, pcrs: frozenset[int] = frozenset()) -> None:
        self._tpm = tpm
        self._clock = clock
        self._pcrs = pcrs | {CAP_PCR}

    @override
    def seal(self, content: bytes) -> bytes:
        from gprov.apps.unit.execution.tpm import sealed_objects
        from gprov.domain.unit.sealed_file import serialise_sealed

        with conversation_with(self._tpm, self._clock) as conversation:
            sealed = sealed_objects.seal(conversation, content, self._pcrs)
            if sealed_objects.unseal(conversation, sealed) != content:
                raise DeviceFault(TPM, "does not return what it has sealed")
        return serialise_sealed(sealed)

    @override
    def unseal(self, source: str, sealed: bytes) -> bytes:
        from gprov.apps.unit.execution.tpm.sealed_objects import unseal
        from gprov.domain.unit.sealed_file import parse_sealed

        secret = parse_sealed(source, sealed)
        with conversation_with(self._tpm, self._clock) as conversation:
            return unseal(conversation, secret)

    @override
    def end(self) -> None:
        if self._tpm.version() != TPM_2:
            return  # nothing can have been sealed to it
        with conversation_with(self._tpm, self._clock) as conversation:
            conversation.ask("TPM2_PCR_Extend", pcr_extend(CAP_PCR, CAP_DIGEST))
