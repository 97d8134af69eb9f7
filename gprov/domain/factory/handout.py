"""When the server hands out a unit's passwords.

A serial is printed on the unit and known to many, so it alone opens nothing. Passwords go only to the session that
reported MFG_STARTED, while that is still the unit's state, for a limited time; and once a provisioning of the unit
has succeeded they are sealed until a person on the server's host opens them again.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.states import Standing


@dataclass(frozen=True, slots=True)
class Request:
    """``same_session``: the session that asks reported the unit's state, and at ``since_ns`` (server's UTC)."""

    now_ns: int
    since_ns: int
    same_session: bool


def refusal(unit: Standing, request: Request, window_ns: int) -> Refusal | None:
    """None: hand them out."""
    if unit.sealed and request.now_ns > unit.open_until_ns:
        return Refusal.SEALED
    if unit.state is not ProcessState.MFG_STARTED:
        return Refusal.NOT_STARTED
    if not request.same_session:
        return Refusal.OTHER_SESSION
    if request.now_ns - request.since_ns > window_ns:
        return Refusal.WINDOW_OVER
    return None
