"""Doing something beside the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Task(Protocol):
    def wait(self, seconds: float) -> bool:
        """Until it has ended, at most so long. False: it is still at it."""


class Background(Protocol):
    def start(self, name: str, work: Callable[[], None]) -> Task:
        """Begin ``work``, which reports its own failures and may never end: it does not keep the process alive. Ports
        that it uses must bear being used from another thread. Where nothing can be done beside the flow, it is done
        before this returns."""
