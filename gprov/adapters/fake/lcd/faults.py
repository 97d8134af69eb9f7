"""Faults of a simulated display and of its wire, for tests of drivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """What happens to a packet. ``LOSE_COMMAND``: the display does not get it; ``LOSE``: the display has acted, the
    host does not get the answer. The values are fixed names."""

    LOSE_COMMAND = "lose-command"
    LOSE = "lose"
    DOUBLE = "double"
    CORRUPT = "corrupt"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class LcdFaults:
    """``answers``: fault by number of the command, from 0. ``reports``: fault by number of the report of a key, from 0.
    ``late_seconds``: delay of ``LATE`` packets. ``mute_from``, ``hang_up_at``: number of the command from which on the
    display does nothing, or at which it disappears from the bus; None: never. ``start_noise``: bytes that the display
    sends when it restarts. ``start_seconds``: time that a restart takes, without answers."""

    answers: Mapping[int, Fault] = field(default_factory=dict)
    reports: Mapping[int, Fault] = field(default_factory=dict)
    late_seconds: float = 0.4
    mute_from: int | None = None
    hang_up_at: int | None = None
    start_noise: bytes = b""
    start_seconds: float = 0.5


NO_FAULTS = LcdFaults()
