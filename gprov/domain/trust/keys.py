"""Checking a signature in minisign's format with one of several keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gprov.domain.formats.minisign import PublicKey, Signature, globally_signed, signed_digest


class Verifier(Protocol):
    """Checks signatures of Ed25519."""

    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is that of ``key`` (the raw public key, 32 bytes) over ``message``."""


def key_of(signature: Signature, keys: Iterable[PublicKey]) -> PublicKey | None:
    """The key that the signature names. It says nothing until the signature was checked."""
    return next((key for key in keys if key.number == signature.number), None)


def signature_problem(key: PublicKey, signature: Signature, content: bytes, verifier: Verifier) -> str:
    """Why ``signature`` is not that of ``key`` over ``content``; "" if it is, with its trusted comment."""
    if signature.number != key.number:
        return f"is of the key {signature.key_id}, not of {key.key_id}"
    if not verifier.verifies(key.key, signature.signature, signed_digest(content)):
        return f"is not that of the key {key.key_id} over this content"
    whole = globally_signed(signature.signature, signature.trusted_comment)
    if not verifier.verifies(key.key, signature.global_signature, whole):
        return "has a trusted comment that was changed"
    return ""
