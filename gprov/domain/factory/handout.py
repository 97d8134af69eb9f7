"""When the server hands out a unit's passwords.

A serial is printed on the unit and known to many, so it alone opens nothing. Passwords go only to the session that
reported MFG_STARTED, while that is still the unit's state, for a limited time; and once a provisioning of the unit
has succeeded they are sealed until a person on the server's host opens them again.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import Refusal


@dataclass(frozen=True, slots=True)
class Provisioning:
    """What the server knows of a unit. ``since_ns``: when its state was reported (server's UTC); ``same_session``: by
    the session that now asks; ``sealed``: a provisioning has succeeded; ``open_until_ns``: reopened until then."""

    state: ProcessState = ProcessState.UNKNOWN
    since_ns: int = 0
    same_session: bool = False
    sealed: bool = False
    open_until_ns: int = 0


def refusal(unit: Provisioning, now_ns: int, window_ns: int) -> Refusal | None:
    """None: hand them out."""
    if unit.sealed and now_ns > unit.open_until_ns:
        return Refusal.SEALED
    if unit.state is not ProcessState.MFG_STARTED:
        return Refusal.NOT_STARTED
    if not unit.same_session:
        return Refusal.OTHER_SESSION
    if now_ns - unit.since_ns > window_ns:
        return Refusal.WINDOW_OVER
    return None
