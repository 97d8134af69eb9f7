"""Making passwords that are strong, and that a person can read and type at a BIOS prompt.

Letters and digits that are not mistaken for one another (no 0 O o, 1 l I i) and that stand at the same place on German
and US keyboards (no y z): firmware reads keys as a US keyboard whatever is printed on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gprov.domain.errors import InternalError
from gprov.domain.unit.credentials import Credentials, Secret

LOWER = "abcdefghjkmnpqrstuvwx"
UPPER = "ABCDEFGHJKLMNPQRSTUVWX"
DIGITS = "23456789"
ALPHABET = LOWER + UPPER + DIGITS
OS_LENGTH = 20
# IPMI 1.5 keeps 16 bytes of a password, IPMI 2.0 20; a longer one is refused or silently cut.
IPMI_LENGTH = 16
# BIOS setups take between 8 and 32 characters, most 20.
BIOS_LENGTH = 12

_ATTEMPTS = 1000


def make_credentials(token: Callable[[int], bytes]) -> Credentials:
    """Three independent passwords. ``token(size)`` yields unpredictable bytes."""
    return Credentials(
        os=make_password(token, OS_LENGTH),
        bios=make_password(token, BIOS_LENGTH),
        ipmi=make_password(token, IPMI_LENGTH),
    )


def make_password(token: Callable[[int], bytes], length: int) -> Secret:
    """Uniform among the passwords with at least one lower-case letter, one upper-case letter and one digit (which
    password policies of some controllers ask for). Raises InternalError if ``token`` is no source of randomness."""
    for _ in range(_ATTEMPTS):
        text = "".join(_characters(token(4 * length)))[:length]
        if len(text) == length and all(any(char in kind for char in text) for kind in (LOWER, UPPER, DIGITS)):
            return Secret(text)
    raise InternalError("the source of randomness yields no passwords")


def _characters(octets: bytes) -> Iterator[str]:
    """Each byte a character, or nothing where it would favour the first characters of the alphabet."""
    even = 256 - 256 % len(ALPHABET)
    return (ALPHABET[octet % len(ALPHABET)] for octet in octets if octet < even)
