"""A clock on which the simulated work of a drive passes quickly."""

from __future__ import annotations

import time

from typing_extensions import override

from gprov.ports.clock import Clock


class FastClock(Clock):
    """``rate``: seconds of this clock in one real second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    @override
    def now_ns(self) -> int:
        return round(time.time_ns() * self._rate)

    @override
    def monotonic(self) -> float:
        return time.monotonic() * self._rate

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self._rate)

    @override
    def set(self, time_ns: int) -> None:
        raise NotImplementedError(f"cannot be set to {time_ns}")
