"""Rate and remaining time from the last samples of a progress."""

from __future__ import annotations

from collections import deque


class Estimate:
    """``total``: bytes in all; ``window``: seconds of which samples count. Drives slow down towards their end, and
    caches let the beginning look fast: older samples say little."""

    def __init__(self, total: int, window: float = 60.0) -> None:
        self._total = total
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, seconds: float, done: int) -> None:
        """A sample: time on the monotonic clock, and bytes completed so far."""
        self._samples.append((seconds, done))
        while len(self._samples) > 2 and self._samples[1][0] <= seconds - self._window:
            self._samples.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes per second; None before two samples at different times."""
        if len(self._samples) < 2:
            return None
        (start, before), (end, done) = self._samples[0], self._samples[-1]
        return (done - before) / (end - start) if end > start else None

    @property
    def seconds_left(self) -> float | None:
        """None while nothing is known, or if nothing moves."""
        rate = self.rate
        if rate is None or rate <= 0:
            return None
        return max(0, self._total - self._samples[-1][1]) / rate
