"""Signatures over programs of UEFI (Authenticode), which Secure Boot requires."""

from __future__ import annotations

from typing import Protocol

from typing_extensions import override

from gprov.domain.boot.secure_boot import SignatureCheck


class CodeSignatures(SignatureCheck, Protocol):
    @override
    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool:
        """Whether ``signature`` (PKCS #7 in DER) is over ``digest`` (SHA-256, 32 bytes) and made by the owner of
        ``certificate`` (X.509 in DER), or by one whom it has certified. Dates of certificates do not count: units have
        no clock that they could trust. Raises DeviceFault if the library that checks it is missing or fails.
        """
