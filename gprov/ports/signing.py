"""Signatures of certificates: Ed25519 (RFC 8032). Only host tools and the factory server have adapters."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.erase.certificate_chain import VerifyingKey


class PublicKey(VerifyingKey, Protocol):
    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo, as ``openssl pkeyutl -pubin -inkey`` reads it."""


class Signer(Protocol):
    @property
    def public(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes:
        """The raw signature of 64 bytes."""
