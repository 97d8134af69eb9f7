"""When the server hands out a unit's passwords.

A serial number is printed on the unit, so it is no proof. Passwords go only to the session that reported MFG_STARTED,
while that is still the unit's state, for a limited time. Once a provisioning of the unit has succeeded, they are sealed
until a person on the server's host reopens them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.states import UnitStatus


@dataclass(frozen=True, slots=True)
class Inquiry:
    """When passwords are asked for. ``same_session``: by the session that reported the unit's state; ``since_ns``: when
    it was reported. Times: UTC, ns, by the server's clock."""

    now_ns: int
    since_ns: int
    same_session: bool


def refusal(unit: UnitStatus, inquiry: Inquiry, window_ns: int) -> Refusal | None:
    """None: hand them out."""
    if unit.sealed and inquiry.now_ns > unit.open_until_ns:
        return Refusal.SEALED
    if unit.state is not ProcessState.MFG_STARTED:
        return Refusal.NOT_STARTED
    if not inquiry.same_session:
        return Refusal.OTHER_SESSION
    if inquiry.now_ns - inquiry.since_ns > window_ns:
        return Refusal.WINDOW_OVER
    return None
