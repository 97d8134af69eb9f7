"""Accepting connections: as many as there is room for, fairly, and quietly when descriptors run out.

asyncio's own servers write a traceback for each failed attempt, which stays due, so that attempts follow each other
without a pause.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from gprov.apps.server.web.limits.protocol import LimitedProtocol
from gprov.domain.factory.limits.holdings import OpenConnection, to_close
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.rates import RateLimiter
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import error_reply
from gprov.domain.factory.settings.limits import Limits

log = logging.getLogger("gprov.server")

_SWEEP_SECONDS = 1.0
# Accepted in one go, before what is open gets its turn.
_AT_ONCE = 64
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RETRY_SECONDS = 1.0
_REPORT_SECONDS = 60.0
# For the client's own end of an encrypted connection.
_SHUTDOWN_SECONDS = 1.0
# Of the kernel for each connection, in bytes: without it, a slow client may hold megabytes.
_SEND_BUFFER, _RECEIVE_BUFFER = 256 << 10, 32 << 10
_BUSY_BODY = encode(error_reply("too many connections; try again"))
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b"
) % (len(_BUSY_BODY), _BUSY_BODY)


class Slot:
    """A place for a connection, from its acceptance to its end. ``protocol``: None while encryption is negotiated."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.protocol: LimitedProtocol | None = None

    @property
    def busy(self) -> bool:
        return self.protocol is not None and self.protocol.busy

    def abort(self) -> None:
        if self.protocol is not None:
            self.protocol.abort()


class Connections:
    """All open connections of the server. ``make``: a protocol for a new one; ``most``: how many there may be."""

    def __init__(self, make: Callable[[], LimitedProtocol], limits: Limits, most: int) -> None:
        self._make = make
        self._limits = limits
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._rates = RateLimiter(limits.requests)
        self._slots: dict[Slot, None] = {}  # oldest first
        self._per_client: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper = self._loop.create_task(self._sweep())

    def add(self, connection: socket.socket, client: str, context: ssl.SSLContext | None) -> None:
        """Take over an accepted connection, or close it."""
        if not self._has_room(client):
            _turn_away(connection, context is not None)
            return
        slot = Slot(client)
        self._slots[slot] = None
        self._per_client[client] = self._per_client.get(client, 0) + 1
        task = self._loop.create_task(self._open(slot, connection, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        self._sweeper.cancel()

    def _has_room(self, client: str) -> bool:
        if self._rates.take(client, round(self._loop.time() * 1e9)):
            log.warning("%s opens connections too fast: closed", client)
            return False
        if self._per_client.get(client, 0) >= self._limits.connections_per_address:
            log.warning("%s has %d connections: another one is refused", client, self._per_client[client])
            return False
        if len(self._slots) < self._most:
            return True
        victim = to_close(client, (OpenConnection(each.client, each, each.busy) for each in self._slots))
        if victim is None:
            log.warning("all %d connections are in use: one from %s is refused", self._most, client)
            return False
        log.warning("all %d connections are taken: one of %s is closed", self._most, victim.client)
        self._release(victim)
        victim.abort()
        return True

    def _release(self, slot: Slot) -> None:
        if slot in self._slots:
            del self._slots[slot]
            self._per_client[slot.client] -= 1
            if not self._per_client[slot.client]:
                del self._per_client[slot.client]

    async def _open(self, slot: Slot, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        protocol = self._make()
        protocol.when_lost = lambda: self._release(slot)
        times = (None, None) if context is None else (self._limits.handshake_seconds, _SHUTDOWN_SECONDS)
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=context,
                ssl_handshake_timeout=times[0],
                ssl_shutdown_timeout=times[1],
            )
            slot.protocol = protocol
        except (OSError, TimeoutError) as exc:  # SSLError is an OSError
            log.info("%s: no encrypted connection: %s", slot.client, exc)
            self._release(slot)
            connection.close()
        if slot not in self._slots:  # closed meanwhile, for another one
            slot.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = self._loop.time()
            for slot in list(self._slots):
                why = "" if slot.protocol is None else slot.protocol.overdue(now)
                if why:
                    log.info("a connection of %s is closed: %s", slot.client, why)
                    slot.abort()


class Acceptor:
    """Accepts from one listening socket. It has the two methods by which uvicorn ends a server."""

    def __init__(self, listener: socket.socket, connections: Connections, context: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._connections = connections
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._failures = 0
        self._reported = -_REPORT_SECONDS
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)

    def start(self, backlog: int) -> None:
        self._listener.listen(backlog)
        self._resume()

    def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listener)
        self._connections.close()

    async def wait_closed(self) -> None:
        """Connections end by themselves; uvicorn has waited for them."""

    def _resume(self) -> None:
        self._retry = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    self._pause(exc)
                    return
                continue  # of one connection, which its client has ended (accept(2))
            connection.setblocking(False)
            self._connections.add(connection, peer_group(str(address[0])), self._context)

    def _pause(self, exc: OSError) -> None:
        """Those who wait stay in the kernel's queue."""
        self._failures += 1
        now = self._loop.time()
        if now - self._reported >= _REPORT_SECONDS:
            log.error("no connections are accepted: %s (%d attempts)", exc.strerror, self._failures)
            self._reported, self._failures = now, 0
        self._loop.remove_reader(self._listener)
        self._retry = self._loop.call_later(_RETRY_SECONDS, self._resume)


def _turn_away(connection: socket.socket, encrypted: bool) -> None:
    if not encrypted:
        with suppress(OSError):  # the client may be gone
            connection.send(_BUSY)
    connection.close()
