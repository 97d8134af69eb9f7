"""A shell for a person at the unit."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol


class ShellEnd(Enum):
    """Why a session ended; the values are for messages."""

    EXITED = "the shell was left"
    IDLE = "nothing was typed for too long"
    HUNG_UP = "no console is left"


class ConsoleShell(Protocol):
    def run(self, greeting: str, transcript: Callable[[bytes], None], idle_seconds: float) -> ShellEnd:
        """Run a shell as root on all consoles of the unit, until it is left, or nothing was typed for ``idle_seconds``;
        what it started is ended, too. ``transcript`` gets what the consoles show, as raw bytes of a terminal. Raises
        ToolMissing, DeviceFault."""
