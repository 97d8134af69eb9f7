"""Password hashing, and secrets at rest on RECOVERY."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Secret


class PasswordHasher(Protocol):
    def hash(self, password: Secret) -> PasswordHash:
        """A crypt(5) string with a fresh salt, in a scheme that Debian's PAM accepts (yescrypt or SHA-512)."""

    def matches(self, password: Secret, stored: PasswordHash) -> bool:
        """Whether it is the hash of this password. False for a locked account, and for an empty or impossible
        password. Raises DeviceMissing, DeviceFault."""
