"""Failed attempts during the search for the root, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.decide_root import RETRY_SECONDS


@dataclass(frozen=True)
class FailedAttempt:
    """``attempts``: number of failures so far; ``at``: time of the last one that counts, in seconds."""

    at: float
    attempts: int
    error: str


class FailedAttempts:
    """By a key that identifies a volume or an array for the whole search. ``elapsed``: seconds on any monotonic
    clock, the same for all calls."""

    def __init__(self) -> None:
        self._last: dict[str, FailedAttempt] = {}

    def last(self, key: str) -> FailedAttempt | None:
        return self._last.get(key)

    def due(self, key: str, elapsed: float) -> bool:
        """True if there was no failure yet, or the last one is RETRY_SECONDS ago."""
        last = self.last(key)
        return last is None or elapsed - last.at >= RETRY_SECONDS

    def add(self, key: str, error: str, elapsed: float, *, counts: bool = True) -> FailedAttempt:
        """Record a failure. One that does not count replaces only the error of the last one."""
        last = self.last(key)
        if last is not None and not counts:
            attempt = FailedAttempt(last.at, last.attempts, error)
        else:
            attempt = FailedAttempt(elapsed, 1 + (last.attempts if last is not None else 0), error)
        self._last[key] = attempt
        return attempt
