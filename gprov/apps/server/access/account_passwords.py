"""Hashes of the passwords of accounts: Argon2id (RFC 9106), with the parameters that it recommends for little memory."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gprov.domain.unit.credentials import Secret


class AccountPasswords:
    """One hash at a time: each takes 64 MiB, and anyone can ask for one by trying to sign in."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn = threading.Lock()
        # Compared for accounts that do not exist, so that their refusal takes as long.
        self._nobody = self.hash(Secret("no account has this password"))

    def hash(self, password: Secret) -> str:
        with self._turn:
            return self._hasher.hash(password.reveal())

    def matches(self, stored: str | None, password: Secret) -> bool:
        """``stored``: None for an account that does not exist."""
        with self._turn:
            try:
                return self._hasher.verify(stored or self._nobody, password.reveal()) and stored is not None
            except (Argon2Error, InvalidHashError):
                return False
