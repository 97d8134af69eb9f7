"""Simulated work of a drive that takes time."""

from __future__ import annotations

from gprov.ports.clock import Clock


class Work:
    """``seconds``: of the whole work. Time counts while the drive has power."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._elapsed = 0.0
        self._last = clock.monotonic()

    def advance(self) -> None:
        now = self._clock.monotonic()
        self._elapsed += max(0.0, now - self._last)
        self._last = now

    def continue_after_power_cycle(self) -> None:
        """The monotonic clock may have started anew."""
        self._last = self._clock.monotonic()

    @property
    def fraction(self) -> float:
        return min(1.0, self._elapsed / self._seconds) if self._seconds > 0 else 1.0

    @property
    def remaining(self) -> float:
        return max(0.0, self._seconds - self._elapsed)
