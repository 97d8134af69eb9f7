"""Keys in memory, and a box that costs no time. Its encryption hides a secret from a search, not from an attacker."""

from __future__ import annotations

import hashlib
import hmac
from itertools import count

from typing_extensions import override

from gprov.domain.errors import DeviceMissing, IntegrityFault
from gprov.ports.secretbox import KeyProvider, SecretBox

_TAG_SIZE = 32
_NONCE_SIZE = 8


class FakeBox(SecretBox):
    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._key = f"key {key_id}".encode()
        self._nonces = count()

    @property
    @override
    def key_id(self) -> str:
        return self._key_id

    @override
    def seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = next(self._nonces).to_bytes(_NONCE_SIZE, "big")
        hidden = self._mask(plain, nonce)
        return nonce + hidden + self._tag(nonce + hidden, context)

    @override
    def open(self, sealed: bytes, context: bytes) -> bytes:
        body, tag = sealed[:-_TAG_SIZE], sealed[-_TAG_SIZE:]
        if len(body) < _NONCE_SIZE or not hmac.compare_digest(tag, self._tag(body, context)):
            raise IntegrityFault("secret", "was changed, belongs elsewhere, or has another key")
        return self._mask(body[_NONCE_SIZE:], body[:_NONCE_SIZE])

    def _mask(self, octets: bytes, nonce: bytes) -> bytes:
        stream = hashlib.shake_256(self._key + nonce).digest(len(octets))
        return bytes(each ^ mask for each, mask in zip(octets, stream, strict=True))

    def _tag(self, body: bytes, context: bytes) -> bytes:
        return hmac.digest(self._key, len(context).to_bytes(8, "big") + context + body, "sha256")


class FakeKeys(KeyProvider):
    """``lose``: from then on it has no key, as if a key file were gone."""

    def __init__(self, first: str = "fake-1") -> None:
        self._boxes = {first: FakeBox(first)}
        self._first = first

    def lose(self) -> None:
        self._boxes.clear()

    @override
    def fresh(self) -> SecretBox:
        if not self._boxes:
            self._first = f"{self._first}+"
            self._boxes[self._first] = FakeBox(self._first)
        return self._boxes[self._first]

    @override
    def existing(self, key_id: str) -> SecretBox:
        if key_id not in self._boxes:
            raise DeviceMissing("fake keys", f"do not have {key_id}")
        return self._boxes[key_id]
