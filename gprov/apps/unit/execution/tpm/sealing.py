"""Seals secrets to the TPM: with a policy that holds from the machine's start until a PCR is extended, which happens
before the system is started."""

from __future__ import annotations

from typing_extensions import override

from gprov.domain.formats.tpm.header import states_success
from gprov.domain.unit.cap import CAP_COMMAND, CAP_PCR
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm
from gprov.ports.sealing import SecretSealing

_TPM_2 = 2


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
        from gprov.apps.unit.execution.tpm.opening import conversation_with
        from gprov.domain.errors import DeviceFault
        from gprov.domain.unit.sealed_file import serialise_sealed

        with conversation_with(self._tpm, self._clock) as conversation:
            sealed = sealed_objects.seal(conversation, content, self._pcrs)
            if sealed_objects.unseal(conversation, sealed) != content:
                raise DeviceFault("TPM", "does not return what it has sealed")
        return serialise_sealed(sealed)

    @override
    def unseal(self, source: str, sealed: bytes) -> bytes:
        from gprov.apps.unit.execution.tpm.opening import conversation_with
        from gprov.apps.unit.execution.tpm.sealed_objects import unseal
        from gprov.domain.unit.sealed_file import parse_sealed

        secret = parse_sealed(source, sealed)
        with conversation_with(self._tpm, self._clock) as conversation:
            return unseal(conversation, secret)

    @override
    def end(self) -> None:
        if self._tpm.version() != _TPM_2:
            return  # nothing can have been sealed to it
        with self._tpm.open() as channel:
            if states_success(channel.send(CAP_COMMAND)):
                return
        # It is busy, or refuses: what repeats commands and has words for refusals is imported only now.
        from gprov.apps.unit.execution.tpm.opening import conversation_with

        with conversation_with(self._tpm, self._clock) as conversation:
            conversation.ask("TPM2_PCR_Extend", CAP_COMMAND)
