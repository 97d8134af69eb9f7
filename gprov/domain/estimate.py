"""Rate and remaining time from the last samples of a progress."""

from __future__ import annotations

from collections import deque

# Caches let a beginning look fast. Until then nothing is said.
LEAST_SECONDS = 5.0
# Total of a task that reports a share of its work, as a drive that erases itself does. Other totals are bytes.
FRACTION = 1000


class Estimate:
    """``total``: bytes in all; ``window``: seconds of which samples count. Drives slow down towards their end, and
    caches let the beginning look fast: older samples say little."""

    def __init__(self, total: int, window: float = 60.0) -> None:
        self._total = total
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, seconds: float, done: int) -> None:
        """A sample: time on the monotonic clock, and bytes completed so far. Fewer than before: the task began anew,
        and the earlier samples do not count."""
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((seconds, done))
        while len(self._samples) > 2 and self._samples[1][0] <= seconds - self._window:
            self._samples.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes per second; None before there are samples of LEAST_SECONDS."""
        if len(self._samples) < 2:
            return None
        (start, before), (end, done) = self._samples[0], self._samples[-1]
        return (done - before) / (end - start) if end - start >= LEAST_SECONDS else None

    @property
    def seconds_left(self) -> float | None:
        """None while nothing is known, if nothing moves, and without a total."""
        rate = self.rate
        if rate is None or rate <= 0 or self._total <= 0:
            return None
        return max(0, self._total - self._samples[-1][1]) / rate
