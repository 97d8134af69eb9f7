"""Secrets that only this machine's TPM gives back, and only before the system is started."""

from __future__ import annotations

from typing import Protocol


class SecretSealing(Protocol):
    def seal(self, content: bytes) -> bytes:
        """Return what to store instead of ``content``: ``unseal`` has returned it once already. Raises DeviceMissing
        (the machine has no TPM 2.0), DeviceFault (it cannot seal)."""

    def unseal(self, source: str, sealed: bytes) -> bytes:
        """Return the content of what ``seal`` has returned. ``source``: its file, for messages. Raises BadInput (it is
        nothing that was sealed), DeviceMissing, DeviceFault (another TPM, one that was cleared since, or ``end`` was
        called since the machine was switched on)."""

    def end(self) -> None:
        """From now on ``unseal`` fails until the machine restarts, whatever runs on it. Raises DeviceFault."""
