"""The TPM of this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class TpmChannel(Protocol):
    def send(self, command: bytes) -> bytes:
        """Send a command to a TPM 2.0 and return its whole reply. Raises DeviceFault."""


class Tpm(Protocol):
    """Flows get no ``Tpm``: commands can remove keys. They get ``SecretSealing`` and ``Ratchets``."""

    def version(self) -> int | None:
        """Major version, 1 or 2; None if the kernel has no TPM. Raises DeviceFault if it does not state a version."""

    def open(self) -> AbstractContextManager[TpmChannel]:
        """Commands that belong together: the kernel removes their objects and sessions at the end of the context.
        Raises DeviceFault, DeviceMissing."""

    def request_clear(self) -> str:
        """Ask the firmware to clear the TPM at the next start (TCG Physical Presence Interface). Returns what the
        firmware states about it, for people. Raises DeviceFault, DeviceMissing if the firmware has no such interface or
        refuses."""
