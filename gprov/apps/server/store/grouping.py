"""Work of several requests in one transaction: they share its flush to the disk, which takes longer than all the rest.

While one transaction is flushed, requests that come meanwhile collect for the next one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from sqlalchemy import Connection

from gprov.apps.server.store.backends import StoreUnavailable
from gprov.apps.server.store.database import Database

Given = TypeVar("Given")
Result = TypeVar("Result")
# In one transaction: others wait for the store as long.
_AT_ONCE = 64


class GroupedWrites(Generic[Given, Result]):
    """Applies ``work`` to what requests give, and returns its results to them. It must be harmless to repeat: if it
    fails, the transaction of the group is undone, and what each one gave is tried by itself."""

    def __init__(self, database: Database, work: Callable[[Connection, Sequence[Given]], Sequence[Result]]) -> None:
        self._database = database
        self._work = work
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Given, Future[Result]]] = deque()
        self._running = False
        self._thread = ThreadPoolExecutor(1, "store")

    def submit(self, given: Given) -> Future[Result]:
        """What is done with it is durable when the future is done."""
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.append((given, future))
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
            group = [(given, future) for given, future in taken if future.set_running_or_notify_cancel()]
            fault = self._do(group) if group else None
            if fault is None:
                continue
            if len(group) == 1 or isinstance(fault, StoreUnavailable):  # each would wait for the store as long
                for _, future in group:
                    future.set_exception(fault)
            else:
                self._one_by_one(group)

    def _one_by_one(self, group: Sequence[tuple[Given, Future[Result]]]) -> None:
        for one in group:
            fault = self._do([one])
            if fault is not None:
                one[1].set_exception(fault)

    def _next(self) -> list[tuple[Given, Future[Result]]]:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            self._running = bool(group)
        return group

    def _do(self, group: Sequence[tuple[Given, Future[Result]]]) -> BaseException | None:
        """Returns what the work failed with; the futures are not done then."""
        try:
            with self._database.write() as db:
                results = self._work(db, [given for given, _ in group])
        except BaseException as exc:  # noqa: BLE001 - whatever it is, its request is what has to fail
            return exc
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
        return None
