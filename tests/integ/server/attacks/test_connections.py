"""Connections that are opened and held: idle ones, unfinished requests, replies that are not read."""

from __future__ import annotations

import resource
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.integ.server.attacks.attacked import MIB, SECONDS, Attacked, Unit, exchange, is_open
from tests.integ.server.attacks.conftest import Start

POST = b"POST /api/v1/state HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(autouse=True)
def enough_files() -> Iterator[None]:
    """For the sockets of the attackers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def opened(stack: ExitStack, server: Attacked, source: str, count: int) -> list[socket.socket]:
    return [stack.enter_context(closing(server.connect(source))) for _ in range(count)]


def test_idle_connections_of_one_address(start: Start) -> None:
    """1,100 of them, with room for 1,024 descriptors: before there were bounds, no other client was served, and the log
    grew by megabytes a second."""
    server = start()
    with Unit(server).reporting() as unit, ExitStack() as stack:
        peers = opened(stack, server, "127.0.0.66", 1100)
        until(lambda: unit.reports >= 10)
        assert server.descriptors() < 250
        assert sum(is_open(peer) for peer in peers) <= 100
    unit.was_served()
    assert len(server.log) < 100_000


def test_idle_connections_of_many_addresses(start: Start) -> None:
    """Each address stays below its own bound; together they fill the server. Newcomers get a place."""
    server = start()
    with Unit(server).reporting() as unit, ExitStack() as stack:
        for number in range(20):
            opened(stack, server, f"127.0.1.{number + 1}", 60)
        until(lambda: unit.reports >= 10)
        assert server.ask("GET", "/api/v1/time", source="127.0.0.4")[0] == 200
        assert server.descriptors() < 1000
    unit.was_served()
    assert len(server.log) < 200_000


def test_descriptors_that_run_out(start: Start) -> None:
    """Connections are not accepted meanwhile, and that costs neither the processor nor the log. They are afterwards."""
    server = start(files=4096)
    unit = Unit(server)
    unit.report()
    with ExitStack() as stack:
        opened(stack, server, "127.0.0.66", 20)
        until(lambda: server.descriptors() > 30)
        _limit_files(server, server.descriptors() + 1)
        waiting = opened(stack, server, "127.0.0.67", 50)
        before = _processor_seconds(server)
        time.sleep(2)
        assert _processor_seconds(server) - before < 1
        assert server.log.count("no connections are accepted") == 1
        assert len(server.log) < 20_000
        _limit_files(server, 4096)
        assert b" 200 " in exchange(waiting[-1], GET + b"Connection: close\r\n\r\n")
        unit.report()
    unit.was_served()


def _limit_files(server: Attacked, count: int) -> None:
    subprocess.run(["prlimit", f"--pid={server.pid}", f"--nofile={count}:4096"], check=True)


def _processor_seconds(server: Attacked) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


# What is sent at first, and then again and again.
UNFINISHED = (
    (b"", b""),
    (b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
    (b"\r\n", b"\r\n"),
    (GET + b"\r\n", b"GET"),  # after a complete request on the same connection
    (POST, b"X: y\r\n"),
    (POST + b"Content-Length: 10000\r\n\r\n", b" "),
    (b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", b" "),
    (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;x"),
    (b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"x"),
)


def test_requests_that_never_end(start: Start) -> None:
    """Some bytes now and then do not keep the connection."""
    server = start("[limits]\nhead_seconds = 1\nbody_seconds = 1\nidle_seconds = 1\n")
    before = server.sockets()
    with ExitStack() as stack:
        left = {}
        for begun, then in UNFINISHED:
            peer = stack.enter_context(closing(server.connect()))
            peer.sendall(begun)
            left[peer] = then
        ends = time.monotonic() + 8
        while left:
            assert time.monotonic() < ends, f"still open: {left}"
            time.sleep(0.3)
            left = {peer: then for peer, then in left.items() if is_open(peer) and _sent(peer, then)}
    until(lambda: server.sockets() <= before)


def _sent(peer: socket.socket, data: bytes) -> bool:
    try:
        peer.sendall(data)
    except OSError:
        return False
    return True


def test_a_pause_within_a_body(start: Start) -> None:
    server = start("[limits]\nbody_pause_seconds = 0.5\n")
    began = time.monotonic()
    reply = server.send(POST + b"Content-Length: 99\r\n\r\n{", seconds=SECONDS)
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 10


@pytest.mark.nightly
def test_replies_that_are_not_read(start: Start) -> None:
    """Their connections and files are closed; a download that is slow but goes on is not cut."""
    server = start("[limits]\nreply_stall_seconds = 2\nreply_bytes_per_second = 4096\n")
    content = bytes(24 * MIB)
    (server.data / "files" / "image").write_bytes(content)
    ask = b"GET /files/image HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        before = server.sockets()
        slow = stack.enter_context(closing(server.connect("127.0.0.5")))
        slow.sendall(ask)
        for peer in opened(stack, server, "127.0.0.66", 50):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sendall(ask)
        received = 0
        for _ in range(40):  # 8 s
            received += len(slow.recv(256 << 10))
            time.sleep(0.2)
        assert server.sockets() == before + 1
        while piece := slow.recv(MIB):
            received += len(piece)
        assert received > len(content)
    assert server.memory() < 250 * MIB


@pytest.mark.nightly
def test_many_files_are_downloaded_at_once_by_slow_clients(start: Start) -> None:
    server = start()
    (server.data / "files" / "image").write_bytes(bytes(64 * MIB))
    ask = b"GET /files/image HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Unit(server).reporting() as unit, ExitStack() as stack:
        before = server.memory()
        for number in range(10):
            for peer in opened(stack, server, f"127.0.1.{number + 1}", 30):
                peer.sendall(ask)
        until(lambda: unit.reports >= 30)
        print(f"{(server.memory() - before) / MIB:.0f} MiB more for 300 downloads")
        assert server.memory() - before < 250 * MIB
    unit.was_served()
