"""What is asked of a person at the unit about an action of the update server, and what that person says, as files on
RECOVERY of one line: ``update/offer`` with ``17 DIGEST``, ``update/decision`` with ``confirm 17 DIGEST`` or ``deny 17
DIGEST``. DIGEST is that of the files that the action would install (``Deployment.identity``): a decision holds for
them, and for no others that the server offers by the same id later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

MAX_DECISION = 256  # bytes, of both files
_CONFIRM, _DENY = "confirm", "deny"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Offered:
    """``action``: its id on the server; ``identity``: ``Deployment.identity``."""

    action: str
    identity: str


@dataclass(frozen=True, slots=True)
class OwnerDecision:
    offered: Offered
    agreed: bool


def parse_offered(source: str, data: bytes) -> Offered:
    """Raises BadInput."""
    words = _words(data)
    if len(words) != 2 or not _DIGEST.fullmatch(words[1]):
        raise BadInput(source, [Problem("", f"must be an id and a digest, is {data[:40]!r}")])
    return Offered(*words)


def serialise_offered(offered: Offered) -> bytes:
    """Inverse of ``parse_offered``."""
    return f"{offered.action} {offered.identity}\n".encode("ascii")


def parse_decision(source: str, data: bytes) -> OwnerDecision:
    """Raises BadInput."""
    words = _words(data)
    if len(words) != 3 or words[0] not in (_CONFIRM, _DENY) or not _DIGEST.fullmatch(words[2]):
        raise BadInput(source, [Problem("", f"must be {_CONFIRM} or {_DENY}, an id and a digest, is {data[:40]!r}")])
    return OwnerDecision(Offered(words[1], words[2]), words[0] == _CONFIRM)


def serialise_decision(decision: OwnerDecision) -> bytes:
    """Inverse of ``parse_decision``."""
    return f"{_CONFIRM if decision.agreed else _DENY} ".encode("ascii") + serialise_offered(decision.offered)


def _words(data: bytes) -> list[str]:
    return data.decode("ascii", "replace").split()
