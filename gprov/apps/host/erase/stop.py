"""A request to stop, such as Ctrl-C, that ends the work on each disk at its next report of progress."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from typing_extensions import override

from gprov.domain.errors import EraseFailed
from gprov.ports.clock import Clock

# The longest wait before a request is noticed.
_SLICE_SECONDS = 1.0


class Stop:
    """May be set from any thread, and from a signal handler."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises EraseFailed after a request."""
        if self.requested:
            raise EraseFailed("interrupted: nothing is claimed; a command that the drive has begun may go on in it")


class StoppableClock(Clock):
    """Waits between commands to a drive end with a request to stop."""

    def __init__(self, clock: Clock, stop: Stop) -> None:
        self._clock = clock
        self._stop = stop

    @override
    def now_ns(self) -> int:
        return self._clock.now_ns()

    @override
    def monotonic(self) -> float:
        return self._clock.monotonic()

    @override
    def sleep(self, seconds: float) -> None:
        self._stop.check()
        while seconds > 0:
            self._clock.sleep(min(seconds, _SLICE_SECONDS))
            self._stop.check()
            seconds -= _SLICE_SECONDS

    @override
    def set(self, time_ns: int) -> None:
        self._clock.set(time_ns)


@contextmanager
def stopped_by_interrupt(stop: Stop, noticed: Callable[[], None]) -> Iterator[None]:
    """Until the end of the context, the first Ctrl-C requests a stop and calls ``noticed``, the second one raises
    KeyboardInterrupt. Does nothing outside of the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.request()
        noticed()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
