"""Calls with a timeout, for operations that cannot be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class CallTimedOut(Exception):
    """The call did not return in time."""


def call_with_timeout(seconds: float, call: Callable[[], T], discard: Callable[[T], object]) -> T:
    """Return or raise the result of ``call``; CallTimedOut after ``seconds``.

    Name resolution and a peer that sends one byte at a time cannot be interrupted by socket timeouts, so the call runs
    in its own thread. After a timeout the thread continues; the caller must close the resources it uses. A late result
    is passed to ``discard``.
    """
    worker = _Worker(call, discard)
    worker.thread.start()
    worker.thread.join(seconds)
    return worker.outcome()


class Watchdog:
    """Calls ``end`` from its own thread if a ``step`` takes longer than ``seconds``: for many short calls that would
    each need a thread with ``call_with_timeout``. Detected up to a quarter of that time late."""

    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        self._seconds = seconds
        self._end = end
        self._until: float | None = None
        self._closed = threading.Event()
        self.expired = False
        self._thread = threading.Thread(target=self._run, name="gprov-net", daemon=True)
        self._thread.start()

    @contextmanager
    def step(self) -> Iterator[None]:
        self._until = time.monotonic() + self._seconds
        try:
            yield
        finally:
            self._until = None

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._seconds / 4):
            until = self._until
            if until is not None and time.monotonic() > until:
                self.expired = True
                self._end()
                return


class _Worker(Generic[T]):
    def __init__(self, call: Callable[[], T], discard: Callable[[T], object]) -> None:
        self._call = call
        self._discard = discard
        self._lock = threading.Lock()
        self._abandoned = False
        self._results: list[T] = []
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="gprov-net", daemon=True)

    def outcome(self) -> T:
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._results:
                return self._results[0]
            self._abandoned = True
        raise CallTimedOut

    def _run(self) -> None:
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            with self._lock:
                self._error = error
            return
        with self._lock:
            if not self._abandoned:
                self._results.append(result)
                return
        self._discard(result)
