"""Encryption of secrets at rest with a key that is not stored with them: a key file, a passphrase, a vault."""

from __future__ import annotations

from typing import Protocol


class SecretBox(Protocol):
    """Authenticated encryption with one key."""

    @property
    def key_id(self) -> str:
        """Names the key and tells nothing about it; stored beside what is encrypted with it. At most 200 printable
        ASCII characters."""

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt, differently each time. Only the same ``context``, which is not part of the result, opens it. Raises
        DeviceFault, NetworkFault (a vault does not answer)."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises IntegrityFault (changed, another context, another key; the error holds nothing of it), also
        DeviceFault, NetworkFault (a vault does not answer)."""


class KeyProvider(Protocol):
    def fresh(self) -> SecretBox:
        """The key for a store that has none, made if there is none, and durably kept. The same key at each call. Raises
        BadInput (a key that must not be used), DeviceFault, NetworkFault."""

    def existing(self, key_id: str) -> SecretBox:
        """The key with this id. Raises DeviceMissing (this provider does not have it), BadInput (a key that must not be
        used), DeviceFault, NetworkFault."""
