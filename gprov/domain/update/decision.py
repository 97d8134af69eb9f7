"""``update/decision`` on RECOVERY: what a person at the unit says about an action of the update server, as one line:
``confirm 17`` or ``deny 17``.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

MAX_DECISION = 256  # bytes
_CONFIRM, _DENY = "confirm", "deny"


@dataclass(frozen=True, slots=True)
class OwnerDecision:
    """``action``: its id on the server."""

    action: str
    agreed: bool


def parse_decision(source: str, data: bytes) -> OwnerDecision:
    """Raises BadInput."""
    words = data.decode("ascii", "replace").split()
    if len(words) != 2 or words[0] not in (_CONFIRM, _DENY):
        raise BadInput(source, [Problem("", f"must be {_CONFIRM} or {_DENY} and an id, is {data[:40]!r}")])
    return OwnerDecision(words[1], words[0] == _CONFIRM)


def serialise_decision(decision: OwnerDecision) -> bytes:
    """Inverse of ``parse_decision``."""
    return f"{_CONFIRM if decision.agreed else _DENY} {decision.action}\n".encode("ascii")
