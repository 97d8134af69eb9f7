"""Seals secrets to the TPM: with a policy that holds from the machine's start until a PCR is extended, which happens
before the system is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.apps.unit.execution.tpm.conversation import TPM, TpmConversation
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.tpm.policy import pcr_extend
from gprov.domain.unit.cap import CAP_DIGEST, CAP_PCR
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
        from gprov.domain.unit.sealed_file import serialise_sealed

        with self._conversation() as conversation:
            sealed = sealed_objects.seal(conversation, content, self._pcrs)
            if sealed_objects.unseal(conversation, sealed) != content:
                raise DeviceFault(TPM, "does not return what it has sealed")
        return serialise_sealed(sealed)

    @override
    def unseal(self, source: str, sealed: bytes) -> bytes:
        from gprov.apps.unit.execution.tpm.sealed_objects import unseal
        from gprov.domain.unit.sealed_file import parse_sealed

        secret = parse_sealed(source, sealed)
        with self._conversation() as conversation:
            return unseal(conversation, secret)

    @override
    def end(self) -> None:
        with self._conversation() as conversation:
            conversation.ask("TPM2_PCR_Extend", pcr_extend(CAP_PCR, CAP_DIGEST))

    @contextmanager
    def _conversation(self) -> Iterator[TpmConversation]:
        """Raises DeviceMissing, DeviceFault."""
        version = self._tpm.version()
        if version != _TPM_2:
            raise DeviceMissing(TPM, "there is none" if version is None else f"is a TPM {version}.x; 2.0 is needed")
        with self._tpm.open() as channel:
            yield TpmConversation(channel, self._clock)
