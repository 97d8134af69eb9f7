"""The password of a management controller: sizes in which it can be stored, and how it is proved that it was kept."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import completion_text
from gprov.domain.formats.ipmi.users import LONG_PASSWORD, PASSWORD_CODES, PASSWORD_SIZE_DIFFERS, SHORT_PASSWORD
from gprov.domain.unit.credentials import Secret

# The controller does not take a request of this size: it is too short or too long, or its user byte is invalid.
SIZE_REFUSED = frozenset({PASSWORD_SIZE_DIFFERS, 0xC6, 0xC7, 0xC8, 0xCC})

SHORTER = f"let the factory server issue passwords of at most {SHORT_PASSWORD} characters"


def password_bytes(password: Secret) -> bytes:
    """Raises BadInput if no controller can store it, without the password in its text."""
    text = password.reveal()
    problems = []
    if not 1 <= len(text) <= LONG_PASSWORD:
        problems.append(Problem("", f"has {len(text)} characters; a controller stores 1 to {LONG_PASSWORD}"))
    if not all("!" <= char <= "~" for char in text):
        problems.append(Problem("", "has other characters than printable ASCII without blanks"))
    if problems:
        raise BadInput("IPMI password from the factory server", problems)
    return text.encode()


def storage_sizes(password: bytes) -> list[int]:
    """In the order in which they are tried. A controller of IPMI 1.5 has the short one only."""
    return [SHORT_PASSWORD, LONG_PASSWORD] if len(password) <= SHORT_PASSWORD else [LONG_PASSWORD]


def foreign_password(password: bytes) -> bytes:
    """One with another first character: a controller that accepts it in a comparison does not compare."""
    return (b"B" if password.startswith(b"A") else b"A") + password[1:]


def cut_passwords(password: bytes, size: int) -> tuple[tuple[bytes, int], ...]:
    """Passwords, and the size to compare them in, that only a controller accepts which kept the beginning of
    ``password``: one with another last character, and the first 16 bytes of a long one."""
    changed = password[:-1] + (b"B" if password.endswith(b"A") else b"A")
    cut = ((password[:SHORT_PASSWORD], SHORT_PASSWORD),) if len(password) > SHORT_PASSWORD else ()
    return ((changed, size), *cut)


def refusal_text(code: int, password: bytes) -> str:
    """Why a password was not stored, and what to do."""
    told = completion_text(code, PASSWORD_CODES)
    if len(password) > SHORT_PASSWORD and code in SIZE_REFUSED:
        return f"{told}: {SHORTER}"
    return told
