"""Opens the TPM of the unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.unit.execution.tpm.conversation import TPM, TpmConversation
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm

TPM_2 = 2


@contextmanager
def conversation_with(tpm: Tpm, clock: Clock) -> Iterator[TpmConversation]:
    """Raises DeviceMissing without a TPM 2.0, DeviceFault: also for a reply that is none, which is a fault of the TPM,
    and of no input."""
    version = tpm.version()
    if version != TPM_2:
        raise DeviceMissing(TPM, "there is none" if version is None else f"is a TPM {version}.x; 2.0 is needed")
    with tpm.open() as channel:
        try:
            yield TpmConversation(channel, clock)
        except BadInput as error:
            raise DeviceFault(TPM, f"gives a reply that cannot be read: {error}") from error
