"""Time and chance."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970. May jump when it is set."""

    def monotonic(self) -> float:
        """Seconds since some instant; never goes back. Deadlines are made of this one."""

    def sleep(self, seconds: float) -> None: ...

    def set(self, time_ns: int) -> None:
        """Set system clock and hardware clock (UTC). Raises DeviceFault."""


class Randomness(Protocol):
    def token(self, size: int) -> bytes:
        """``size`` unpredictable bytes, fit for secrets."""


class Deadline:
    """An instant on the monotonic clock until which something may take."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self.seconds = seconds

    @property
    def remaining(self) -> float:
        """Seconds left; 0 when it has passed."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining <= 0
