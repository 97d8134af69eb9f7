"""Opens the TPM of the unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.unit.execution.tpm.conversation import TPM, TpmConversation
from gprov.domain.errors import DeviceMissing
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm

_TPM_2 = 2


@contextmanager
def conversation_with(tpm: Tpm, clock: Clock) -> Iterator[TpmConversation]:
    """Raises DeviceMissing without a TPM 2.0, DeviceFault."""
    version = tpm.version()
    if version != _TPM_2:
        raise DeviceMissing(TPM, "there is none" if version is None else f"is a TPM {version}.x; 2.0 is needed")
    with tpm.open() as channel:
        yield TpmConversation(channel, clock)
