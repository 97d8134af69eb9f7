"""SecretBox port: AES-256-GCM.

A nonce is 96 random bits: of 2**32 seals with one key, the chance that two have the same is 2**-33 (NIST SP 800-38D
section 8.3). A store has a few for each unit.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from gprov.domain.errors import IntegrityFault
from gprov.ports.secretbox import SecretBox

KEY_SIZE = 32
_NONCE_SIZE = 12
_FORMAT = b"\x01"


def fingerprint(key: bytes) -> str:
    return hmac.digest(key, b"gprov id of a store key", hashlib.sha256)[:8].hex()


class AesBox(SecretBox):
    """``key``: ``KEY_SIZE`` bytes."""

    def __init__(self, key: bytes, key_id: str) -> None:
        self._cipher = AESGCM(key)
        self._key_id = key_id

    @property
    @override
    def key_id(self) -> str:
        return self._key_id

    @override
    def seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_SIZE)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, context)

    @override
    def open(self, sealed: bytes, context: bytes) -> bytes:
        start = len(_FORMAT) + _NONCE_SIZE
        if not sealed.startswith(_FORMAT) or len(sealed) < start:
            raise IntegrityFault("secret", "is not in a format that this version reads")
        try:
            return self._cipher.decrypt(sealed[len(_FORMAT) : start], sealed[start:], context)
        except InvalidTag:
            raise IntegrityFault("secret", "was changed, belongs elsewhere, or has another key") from None
