"""Simulated time and randomness. Time advances only in ``sleep`` and ``advance``."""

from __future__ import annotations

import random

from typing_extensions import override

from gprov.ports.clock import Clock, Randomness


class FakeClock(Clock):
    """Starts at ``start_ns`` UTC. Simulated work takes time with ``advance``."""

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now_ns = start_ns
        self._monotonic = 0.0
        self.slept = 0.0
        self.total_elapsed = 0.0  # since the machine was created, over all boots

    @override
    def now_ns(self) -> int:
        return self._now_ns

    @override
    def monotonic(self) -> float:
        return self._monotonic

    @override
    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.advance(seconds)

    @override
    def set(self, time_ns: int) -> None:
        self._now_ns = time_ns

    def advance(self, seconds: float) -> None:
        self._monotonic += seconds
        self.total_elapsed += seconds
        self._now_ns += int(seconds * 1e9)

    def restart(self) -> None:
        """Start a new boot: monotonic time is 0."""
        self._monotonic = 0.0


class SeededRandomness(Randomness):
    """The same bytes for the same seed. Never for real secrets."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    @override
    def token(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def below(self, number: int) -> int:
        return self._random.randrange(number)

    def __deepcopy__(self, memo: dict[int, object]) -> SeededRandomness:
        copy = SeededRandomness()
        copy._random.setstate(self._random.getstate())
        return copy
