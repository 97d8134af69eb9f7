"""Work in parallel to the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Task(Protocol):
    def wait(self, seconds: float) -> bool:
        """Wait for the end of the work, at most ``seconds``. False: it is still running."""


class Background(Protocol):
    def start(self, name: str, work: Callable[[], None]) -> Task:
        """Start ``work`` on another thread. ``work`` reports its own failures and may run forever: it does not keep the
        process alive. The ports that it uses must be thread-safe. Adapters without parallel execution run ``work``
        before returning."""
