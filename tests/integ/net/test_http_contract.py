"""The real Http adapter keeps the contract that the simulated one keeps, against a hostile server on real sockets."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.fake.net.origin import ServerFault
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.system.clock import SystemClock
from tests.unit.contract.http_contract import ALL_FAULTS, CONTENT, check_outcome, check_request

HALF = CONTENT[: len(CONTENT) // 2]


class QuickClock(SystemClock):
    """Real time; pauses between attempts are short."""

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


class HostileServer:
    """A server on a socket, one thread a connection, without a library of HTTP."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._end = threading.Event()
        self._breaks = 2
        self.fault: ServerFault | None = None
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/file"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def set(self, fault: ServerFault | None) -> None:
        self.fault, self._breaks = fault, 2

    def close(self) -> None:
        self._end.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                thread = threading.Thread(target=self._serve, args=(self._listener.accept()[0],))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            self._answer(connection, request)

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        start = int(request.partition(b"bytes=")[2].partition(b"-")[0] or 0)
        match self.fault:
            case ServerFault.HANGS:
                self._end.wait(20)
            case ServerFault.DRIPS:
                connection.sendall(_head(len(CONTENT)))
                while not self._end.wait(0.05):
                    connection.sendall(b"x")
            case ServerFault.INTERIM:
                while not self._end.is_set():
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            case ServerFault.REDIRECTS:
                connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /file\r\nContent-Length: 0\r\n\r\n")
            case ServerFault.ENDLESS:
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while not self._end.is_set():
                    connection.sendall(b"1000\r\n" + bytes(0x1000) + b"\r\n")
            case ServerFault.RESETS | ServerFault.NO_RANGE:
                self._break(connection, start if self.fault is ServerFault.RESETS else 0)
            case _:
                connection.sendall(_whole(self.fault))

    def _break(self, connection: socket.socket, start: int) -> None:
        broken, self._breaks = self._breaks > 0, self._breaks - 1
        sent = (HALF if broken else CONTENT)[start:]
        if start:
            rest = len(CONTENT) - start
            part = f"Content-Range: bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            connection.sendall(_head(rest, part, status="206 Partial Content") + sent)
        else:
            connection.sendall(_head(len(CONTENT)) + sent)


def _head(length: int, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", 'ETag: "one"', *headers]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def _whole(fault: ServerFault | None) -> bytes:
    match fault:
        case ServerFault.OVERSTATES:
            return _head(len(CONTENT)) + HALF
        case ServerFault.TRUNCATES:
            return _head(len(HALF)) + HALF
        case ServerFault.STALE:
            return _head(len(HALF) + 6) + b"stale " + HALF
        case ServerFault.LONGER:
            return _head(2 * len(CONTENT)) + 2 * CONTENT
        case ServerFault.ENCODES:
            packed = gzip.compress(bytes(1 << 20))
            return _head(len(packed), "Content-Encoding: gzip") + packed
        case _:
            return _head(len(CONTENT)) + CONTENT


class RealWorld:
    def __init__(self, server: HostileServer, folder: Path) -> None:
        self._server = server
        self.http = RequestsHttp(QuickClock())
        self.url = server.url
        self.target = str(folder / "file.partial")

    def serve(self, fault: ServerFault | None) -> None:
        self._server.set(fault)

    def stored(self) -> bytes:
        return Path(self.target).read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealWorld]:
    with closing(HostileServer()) as server:
        yield RealWorld(server, tmp_path)


@pytest.mark.parametrize("fault", ALL_FAULTS, ids=lambda fault: fault.value if fault else "good")
def test_outcome(world: RealWorld, fault: ServerFault | None) -> None:
    check_outcome(world, fault)
    check_request(world, fault)
