"""How a menu ends without a choice."""

from __future__ import annotations

from enum import Enum


class NoChoice(Enum):
    """LEFT: a person left the menu. TIMEOUT: the time for a choice ran out, perhaps without any person."""

    LEFT = "left"
    TIMEOUT = "timeout"
