"""A password hasher that takes no time."""

from __future__ import annotations

import hashlib

from typing_extensions import override

from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Secret
from gprov.ports.secrets import PasswordHasher


class FakePasswordHasher(PasswordHasher):
    """Fast, recognisable hashes that no real system accepts."""

    @override
    def hash(self, password: Secret) -> PasswordHash:
        return PasswordHash("$fake$" + hashlib.sha256(password.reveal().encode()).hexdigest())

    @override
    def matches(self, password: Secret, stored: PasswordHash) -> bool:
        return bool(password.reveal()) and self.hash(password) == stored
