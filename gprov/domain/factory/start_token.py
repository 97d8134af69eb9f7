"""One-time tokens with which a provisioning starts. Pure.

The server puts one into each iPXE script, for the machine that asks; a person issues one for a unit that is started by
hand. It is a kernel argument of the provisioning kernel.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gprov.domain.factory.replies import Refusal
from gprov.domain.platform.unidentified import is_unidentified
from gprov.domain.unit.credentials import Secret

TOKEN_BYTES = 16
SECRET_BYTES = 32
MINUTE_NS = 60 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """``serials``: serial numbers that its machine may have, in SMBIOS's spelling. ``uses_left``: for how many more
    sessions. ``used_by_session``: whether the session that shows it has used it before. Times: UTC, ns."""

    serials: frozenset[str]
    expires_ns: int
    uses_left: int
    used_by_session: bool = False


def token_refusal(token: IssuedToken | None, serial: str, now_ns: int) -> Refusal | None:
    """Why a session of this unit cannot start with it; None if it can. ``token``: None if there is no such token."""
    if is_unidentified(serial):
        return Refusal.UNIDENTIFIED
    if token is None:
        return Refusal.START_UNKNOWN
    if serial not in token.serials:
        return Refusal.START_OF_ANOTHER
    if token.used_by_session:
        return None
    if token.uses_left <= 0:
        return Refusal.START_USED
    if now_ns > token.expires_ns:
        return Refusal.START_EXPIRED
    return None


def digest_of(secret: Secret) -> str:
    """What is stored of a token or secret, which has at least 128 random bits: SHA-256, hex. "" for an empty one."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest() if secret else ""
