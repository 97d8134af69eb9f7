"""An iSCSI target that offers one simulated drive as its logical unit 0, on the loopback address."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.integ.erase.iscsi.login import Names
from tests.integ.erase.iscsi.session import Drive, Session

_HOST = "127.0.0.1"


class IscsiTarget:
    """Context manager: listens meanwhile. One thread for each connection, one for the drive. Their exceptions fail the
    test (pytest)."""

    def __init__(self, drive: Drive, name: str) -> None:
        self._drive = drive
        self._listener = socket.create_server((_HOST, 0))
        self.address = f"{_HOST}:{self._listener.getsockname()[1]}"
        self._names = Names(f"iqn.2026-01.test.gprov:{name}", self.address)
        self._connections: list[socket.socket] = []
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._accept, self._carry_out)]

    @property
    def url(self) -> str:
        return f"{self.portal}/{self._names.target}/0"

    @property
    def portal(self) -> str:
        return f"iscsi://{self.address}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self._work.put(None)
        for connection in self._connections:
            _shut_down(connection)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # shut down
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            Session(connection, self._drive, self._work.put, self._names).run()

    def _carry_out(self) -> None:
        try:
            while (step := self._work.get()) is not None:
                step()
        finally:
            for connection in self._connections:
                _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # ended already
        return
