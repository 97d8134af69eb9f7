"""Retries of calls after temporary failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gprov.ports.clock import Clock

T = TypeVar("T")


def growing_pauses(first: float, longest: float, attempts: int) -> Iterator[float]:
    """Pauses in seconds between ``attempts`` attempts: each twice the previous one, at most ``longest``."""
    pause = first
    for _ in range(attempts - 1):
        yield min(pause, longest)
        pause *= 2


def retried(clock: Clock, call: Callable[[], T], pauses: Iterable[float], passing: type[Exception]) -> T:
    """Return the result of ``call``. While it raises ``passing``, it is called again after each pause (seconds); the
    last failure is raised. Other exceptions are raised immediately."""
    for pause in pauses:
        try:
            return call()
        except passing:
            clock.sleep(pause)
    return call()
