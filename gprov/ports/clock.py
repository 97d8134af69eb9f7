"""Clock, randomness and deadlines."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970. Jumps when the clock is set."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary instant; never decreases. Used for deadlines."""

    def sleep(self, seconds: float) -> None: ...

    def set(self, time_ns: int) -> None:
        """Set system clock and hardware clock (UTC). Raises DeviceFault."""


class Randomness(Protocol):
    def token(self, size: int) -> bytes:
        """``size`` unpredictable bytes, suitable for secrets."""


class Deadline:
    """End of a time limit on the monotonic clock."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self.seconds = seconds

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining <= 0
