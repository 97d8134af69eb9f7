"""Work of several requests in one transaction: they share its flush to the disk, which takes longer than all the rest.

While one transaction is flushed, requests that come meanwhile collect for the next one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection

from gprov.apps.server.store.backends import StoreUnavailable
from gprov.apps.server.store.database import Database

T = TypeVar("T")
Work = Callable[[Connection], T]
# In one transaction: others wait for the store as long.
_AT_ONCE = 64


class GroupedWrites:
    """Work that is given here must be harmless to repeat: if that of one request fails, the transaction of its group is
    undone, and each one runs again by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Work[Any], Future[Any]]] = deque()
        self._running = False
        self._thread = ThreadPoolExecutor(1, "store")

    def submit(self, work: Work[T]) -> Future[T]:
        """Its result is durable when the future is done."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((work, future))
            start, self._running = not self._running, True
        if start:
            self._thread.submit(self._run)
        return future

    def waiting(self) -> int:
        """How many have not begun."""
        return len(self._waiting)

    def close(self) -> None:
        """After what was submitted."""
        self._thread.shutdown()

    def _run(self) -> None:
        while taken := self._next():
            group = [(work, future) for work, future in taken if future.set_running_or_notify_cancel()]
            together: Future[list[Any]] = Future()
            self._do(_all_of([work for work, _ in group]), together)
            fault = together.exception()
            if fault is None:
                for (_, future), result in zip(group, together.result(), strict=True):
                    future.set_result(result)
            elif isinstance(fault, StoreUnavailable):  # each of them would wait for it as long
                for _, future in group:
                    future.set_exception(fault)
            else:
                for work, future in group:
                    self._do(work, future)

    def _next(self) -> list[tuple[Work[Any], Future[Any]]]:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            self._running = bool(group)
        return group

    def _do(self, work: Work[T], future: Future[T]) -> None:
        try:
            with self._database.write() as db:
                result = work(db)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, its request is what has to fail
            future.set_exception(exc)
        else:
            future.set_result(result)


def _all_of(works: list[Work[Any]]) -> Work[list[Any]]:
    return lambda db: [work(db) for work in works]
