"""The connections of one exchange, so that it can be ended from outside, whatever it is doing.

A peer that never stops sending what is skipped (interim answers, trailers) keeps a reader busy for ever that no socket
timeout ends: the connection has to be taken away from it.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from urllib3 import PoolManager


class Lifeline:
    """Holds every connection of one exchange by a descriptor of its own, until ``cut``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cut = False
        self._held: list[socket.socket] = []

    def hold(self, connection: socket.socket) -> None:
        """A connection that comes after the cut ends at once."""
        with self._lock:
            if self._is_cut:
                _end(connection)
            else:
                self._held.append(connection.dup())

    def cut(self) -> None:
        """End all: reads that wait for data return, and what comes in later is refused. No error if done before."""
        with self._lock:
            self._is_cut = True
            for connection in self._held:
                _end(connection)
                connection.close()
            self._held.clear()


def tied_adapter(lifeline: Lifeline) -> HTTPAdapter:
    """An adapter of requests all of whose connections the lifeline holds."""

    class Plain(HTTPConnection):
        @override
        def _new_conn(self) -> socket.socket:  # as urllib3's own extension for SOCKS does
            connection = super()._new_conn()
            lifeline.hold(connection)
            return connection

    class Encrypted(HTTPSConnection):
        @override
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            lifeline.hold(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    adapter = HTTPAdapter()
    manager = cast("PoolManager", adapter.poolmanager)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
    return adapter


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RDWR)
