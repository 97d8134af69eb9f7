"""The connections of one HTTP exchange, so that another thread can end it.

A peer that keeps sending data that the library skips (interim answers, trailers) blocks a reader forever without a
socket timeout: the connection must be shut down from outside.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gprov.adapters.linux.net.bounded_head import BoundedResponse

if TYPE_CHECKING:
    from urllib3 import PoolManager


class ExchangeConnections:
    """Keeps a duplicate descriptor of every connection of one exchange until ``shut_down``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cut = False
        self._held: list[socket.socket] = []

    def register(self, connection: socket.socket) -> None:
        """Add a connection. After ``shut_down`` it is ended at once."""
        with self._lock:
            if self._is_cut:
                _end(connection)
            else:
                self._held.append(connection.dup())

    def shut_down(self) -> None:
        """End all connections: reads that wait for data return, later connections are ended. No error if called
        twice."""
        with self._lock:
            self._is_cut = True
            for connection in self._held:
                _end(connection)
                connection.close()
            self._held.clear()


class _PinnedAdapter(HTTPAdapter):
    """Verifies servers with its context and nothing else: requests would add its own bundle of CAs."""

    @override
    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        pass


def registering_adapter(connections: ExchangeConnections, tls: ssl.SSLContext | None) -> HTTPAdapter:
    """A requests adapter that registers all its connections. ``tls``: for https URLs."""

    class Plain(HTTPConnection):
        response_class = BoundedResponse

        @override
        def _new_conn(self) -> socket.socket:  # as urllib3's own extension for SOCKS does
            connection = super()._new_conn()
            connections.register(connection)
            return connection

    class Encrypted(HTTPSConnection):
        response_class = BoundedResponse

        @override
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            connections.register(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

        @override
        def _validate_conn(self, conn: Any) -> None:
            """As urllib3's own, but for its warning about a CA certificate that is fetched without verification."""
            if conn.is_closed:
                conn.connect()

    adapter = _PinnedAdapter()
    if tls is not None:
        adapter.init_poolmanager(1, 1, ssl_context=tls)
    manager = cast("PoolManager", adapter.poolmanager)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
    return adapter


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RDWR)
