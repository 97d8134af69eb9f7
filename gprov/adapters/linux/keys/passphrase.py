"""KeyProvider port on a passphrase: the key is derived by scrypt (RFC 7914). Salt and cost are part of the key's id."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from typing_extensions import override

from gprov.adapters.linux.keys.aes import KEY_SIZE, AesBox, fingerprint
from gprov.domain.errors import BadInput, DeviceMissing, Problem
from gprov.domain.unit.credentials import Secret
from gprov.ports.secretbox import KeyProvider, SecretBox

LEAST_CHARACTERS = 12
# 128 MiB and a third of a second: each guess costs an attacker as much.
_LOG2_COST = 17
_BLOCK, _PARALLEL = 8, 1
_SALT_SIZE = 16
_WHAT = "passphrase of the store"
_KEY_ID = re.compile(
    rf"scrypt-(?P<cost>1[0-9]|20)-(?P<salt>[0-9a-f]{{{2 * _SALT_SIZE}}})-(?P<fingerprint>[0-9a-f]{{16}})"
)


class Passphrase(KeyProvider):
    """``ask(new)``: the passphrase, asked for once at most; ``new``: it is being chosen, so that a typing error would
    lock it in. ``log2_cost``: of new keys, 10 to 20."""

    def __init__(self, ask: Callable[[bool], Secret], log2_cost: int = _LOG2_COST) -> None:
        self._ask = ask
        self._log2_cost = log2_cost
        self._asked: Secret | None = None
        self._fresh: SecretBox | None = None

    @override
    def fresh(self) -> SecretBox:
        if self._fresh is None:
            salt = os.urandom(_SALT_SIZE)
            key = self._derive(salt, self._log2_cost, new=True)
            self._fresh = AesBox(key, f"scrypt-{self._log2_cost}-{salt.hex()}-{fingerprint(key)}")
        return self._fresh

    @override
    def existing(self, key_id: str) -> SecretBox:
        found = _KEY_ID.fullmatch(key_id)
        if found is None:
            raise DeviceMissing(_WHAT, f"the key {key_id} is not derived from a passphrase")
        key = self._derive(bytes.fromhex(found["salt"]), int(found["cost"]), new=False)
        if fingerprint(key) != found["fingerprint"]:
            raise DeviceMissing(_WHAT, f"is not the one of the key {key_id}")
        return AesBox(key, key_id)

    def _derive(self, salt: bytes, log2_cost: int, *, new: bool) -> bytes:
        if self._asked is None:
            self._asked = self._ask(new)
        text = self._asked.reveal()
        if new and len(text) < LEAST_CHARACTERS:
            raise BadInput(_WHAT, [Problem("", f"must have at least {LEAST_CHARACTERS} characters")])
        kdf = Scrypt(salt=salt, length=KEY_SIZE, n=1 << log2_cost, r=_BLOCK, p=_PARALLEL)
        return kdf.derive(text.encode("utf-8", "surrogateescape"))
