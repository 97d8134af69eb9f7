"""Making passwords that are strong, and that a person can read and type at a BIOS prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gprov.domain.errors import InternalError
from gprov.domain.factory.password_rule import PasswordRule
from gprov.domain.unit.credentials import Secret

_ATTEMPTS = 1000


def make_password(token: Callable[[int], bytes], rule: PasswordRule) -> Secret:
    """Uniform among the passwords that the rule allows. ``token(size)`` yields unpredictable bytes.
    Raises InternalError if ``token`` is no source of randomness."""
    for _ in range(_ATTEMPTS):
        text = "".join(_characters(token(4 * rule.length), rule.alphabet))[: rule.length]
        if rule.allows(text):
            return Secret(text)
    raise InternalError("the source of randomness yields no passwords")


def _characters(octets: bytes, alphabet: str) -> Iterator[str]:
    """Each byte a character, or nothing where it would favour the first characters of the alphabet."""
    even = 256 - 256 % len(alphabet)
    return (alphabet[octet % len(alphabet)] for octet in octets if octet < even)
