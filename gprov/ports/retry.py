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
    """What ``call`` returns. It is called once more after each pause (seconds) while it raises ``passing``; the last
    failure is raised, and any other exception at once. A pause is taken from ``pauses`` after the failure that it
    follows: it may depend on a deadline."""
    following = iter(pauses)
    while True:
        try:
            return call()
        except passing:
            pause = next(following, None)
            if pause is None:
                raise
        clock.sleep(pause)
