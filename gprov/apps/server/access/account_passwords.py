"""Hashes of the passwords of accounts: Argon2id, with the parameters that RFC 9106 recommends for little memory."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gprov.domain.unit.credentials import Secret


class AccountPasswords:
    """One hash at a time: each takes 64 MiB, and anyone can ask for one by trying to sign in. ``hasher``: None for the
    one with those parameters."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.Lock()
        self._none = ""

    def hash(self, password: Secret) -> str:
        with self._turn:
            return self._hasher.hash(password.reveal())

    def matches(self, stored: str | None, password: Secret) -> bool:
        """``stored``: None for an account that does not exist. Its refusal takes as long as that of others."""
        with self._turn:
            if stored is None and not self._none:
                self._none = self._hasher.hash("the password of no account")
            try:
                self._hasher.verify(self._none if stored is None else stored, password.reveal())
            except (Argon2Error, InvalidHashError):
                return False
        return stored is not None
