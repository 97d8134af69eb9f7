"""A request to stop, such as Ctrl-C, that ends the work on each disk at its next report of progress."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from typing_extensions import override

from gprov.domain.errors import EraseFailed
from gprov.ports.clock import Clock

# The longest wait before a request is noticed.
_SLICE_SECONDS = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """May be set from any thread, and from a signal handler."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.finishing = False

    def request(self) -> None:
        self._event.set()

    def finish(self) -> None:
        """The work on the disks has ended: its report is written, whatever signals arrive."""
        self.finishing = True

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
def stopped_by_signals(stop: Stop, noticed: Callable[[], None]) -> Iterator[None]:
    """Until the end of the context, the first SIGINT, SIGTERM or SIGHUP requests a stop and calls ``noticed``. A
    further SIGINT raises KeyboardInterrupt, unless ``stop.finish`` was called. Signals that are ignored
    (nohup) stay ignored. Does nothing outside of the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave_terminal()
        if not stop.requested:
            stop.request()
            if not stop.finishing:
                noticed()
        elif number == signal.SIGINT and not stop.finishing:
            raise KeyboardInterrupt

    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, interrupted)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _leave_terminal() -> None:
    """Writing to a terminal that was hung up fails; that must not end the erase without a report."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nothing, stream)
    os.close(nothing)
