"""A TCP proxy whose connections break as a test wants: after some bytes, or at a request."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PIECE = 16 << 10
_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a connection. ``after``: it is cut when so many bytes of replies were passed on; ``request``: it
    is cut in place of passing on a request that contains these bytes; ``reply_to``: a request that contains these bytes
    is passed on, and the connection is cut in place of its reply; ``pause``: seconds before each piece of 16 KiB at
    most of a reply; ``refused``: it is closed at once."""

    after: int | None = None
    request: bytes = b""
    reply_to: bytes = b""
    pause: float = 0.0
    refused: bool = False


SOUND = Fault()


class BrokenConnection:
    """Listens on this machine and passes connections on to ``target``, a port of this machine. ``faults``: of the next
    connections, one each; ``otherwise``: of all further ones. ``passed``: bytes of replies by connection."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.faults: deque[Fault] = deque()
        self.otherwise = SOUND
        self.passed: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut_all(self) -> None:
        """Break the connections that are open now."""
        for each in list(self._open):
            _cut(each)

    def close(self) -> None:
        _cut(self._listener)
        self._listener.close()
        self._accepting.join(_SECONDS)
        self.cut_all()
        for thread in self._threads:
            thread.join(_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self.faults.popleft() if self.faults else self.otherwise
            self.passed.append(0)
            thread = threading.Thread(target=self._serve, args=(client, fault, len(self.passed) - 1))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, fault: Fault, number: int) -> None:
        if fault.refused:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), _SECONDS)
        except OSError:
            client.close()
            return
        connection = _Connection(client, server, fault)
        self._open |= {client, server}
        requests = threading.Thread(target=connection.pass_requests)
        requests.start()
        for count in connection.pass_replies():
            self.passed[number] = count
        requests.join(_SECONDS)
        self._open -= {client, server}
        client.close()
        server.close()


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket, fault: Fault) -> None:
        self._client = client
        self._server = server
        self._fault = fault
        self._lose_reply = False

    def pass_requests(self) -> None:
        seen = b""
        with suppress(OSError):
            while piece := self._client.recv(_PIECE):
                seen = (seen + piece)[-2 * _PIECE :]  # what is looked for may come in two pieces
                if self._fault.request and self._fault.request in seen:
                    break
                self._lose_reply |= bool(self._fault.reply_to) and self._fault.reply_to in seen
                self._server.sendall(piece)
        self._cut_both()

    def pass_replies(self) -> Iterator[int]:
        """Yields how many bytes were passed on so far."""
        passed = 0
        with suppress(OSError):
            while piece := self._server.recv(_PIECE):
                if self._fault.pause:
                    time.sleep(self._fault.pause)
                if self._lose_reply:
                    break
                if self._fault.after is not None:
                    piece = piece[: self._fault.after - passed]
                self._client.sendall(piece)
                passed += len(piece)
                yield passed
                if passed == self._fault.after:
                    break
        self._cut_both()

    def _cut_both(self) -> None:
        for each in (self._client, self._server):
            _cut(each)


def _cut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@contextmanager
def broken_connection(target: int) -> Iterator[BrokenConnection]:
    proxy = BrokenConnection(target)
    try:
        yield proxy
    finally:
        proxy.close()
