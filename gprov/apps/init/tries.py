"""What failed while the root was searched for, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.decision import RETRY_SECONDS


@dataclass(frozen=True)
class Tried:
    """``attempts`` that failed, the last of those that count ``at`` seconds on the clock of the search."""

    at: float
    attempts: int
    error: str


class Tries:
    """By a key that stays with a volume or an array for the whole search. ``elapsed``: seconds on any clock that the
    caller keeps to."""

    def __init__(self) -> None:
        self._last: dict[str, Tried] = {}

    def last(self, key: str) -> Tried | None:
        return self._last.get(key)

    def due(self, key: str, elapsed: float) -> bool:
        """Was it not tried yet, or RETRY_SECONDS ago?"""
        last = self.last(key)
        return last is None or elapsed - last.at >= RETRY_SECONDS

    def failed(self, key: str, error: str, elapsed: float, *, counts: bool = True) -> Tried:
        """Remember this failure. One that does not count replaces only the error of the last one."""
        last = self.last(key)
        if last is not None and not counts:
            tried = Tried(last.at, last.attempts, error)
        else:
            tried = Tried(elapsed, 1 + (last.attempts if last is not None else 0), error)
        self._last[key] = tried
        return tried
