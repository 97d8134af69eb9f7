"""Signatures of the owner of units over images and other files: Ed25519 (RFC 8032)."""

from __future__ import annotations

from typing import Protocol

from typing_extensions import override

from gprov.domain.trust.keys import Verifier


class SignatureVerifier(Verifier, Protocol):
    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        """As in ``Verifier``. False also for values of another length, a key that is not canonical or of small order
        (``domain.formats.ed25519``), and a signature whose S is not below the order. Raises DeviceFault if the library
        that checks it is missing or fails.
        """
