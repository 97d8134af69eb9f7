"""Bodies: stalled, many at once, expensive to read."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress

import pytest

from tests.integ.server.attacks.attacked import JSON, MIB, SECONDS, Unit, exchange, session
from tests.integ.server.attacks.conftest import Start

FULL = 2 * MIB


def head(path: str, length: int) -> bytes:
    return (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_stalled_bodies(start: Start) -> None:
    """400 clients send all of a body of 2 MiB but its last byte: that took 989 MB."""
    server = start()
    with Unit(server).reporting() as unit, ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        before = server.memory()

        def stall(number: int) -> None:
            for _ in range(50):
                peer = stack.enter_context(closing(server.connect(f"127.0.1.{number}", 20)))
                with suppress(OSError):  # the server does not take it all
                    peer.sendall(head("events", FULL) + bytes(FULL - 1))

        list(pool.map(stall, range(1, 9)))
        read = unit.reports + 20
        ends = time.monotonic() + SECONDS
        while unit.reports < read and time.monotonic() < ends:  # the kernel has taken it all before the server
            time.sleep(0.1)
        grown = server.peak() - before
        print(f"{grown / MIB:.0f} MiB more")
        assert grown < 200 * MIB
    unit.was_served()


@pytest.mark.nightly
def test_bodies_that_become_many_objects(start: Start) -> None:
    """12 at once, from 4 addresses. A unit is not behind all of them."""
    server = start()
    nested = b"[" + b"[],[]," * (FULL // 6 - 2) + b"0]"
    request = head("events", len(nested)) + nested
    with Unit(server).reporting() as unit, ThreadPoolExecutor(12) as pool:
        before = server.memory()
        began = time.monotonic()

        def send(number: int) -> bytes:
            with closing(server.connect(f"127.0.1.{1 + number % 4}")) as peer:
                peer.settimeout(SECONDS)
                return exchange(
                    peer, request.replace(b"Host: localhost\r\n", b"Host: localhost\r\nConnection: close\r\n")
                )

        statuses = {reply[9:12] for reply in pool.map(send, range(12))}
        grown = server.peak() - before
        print(f"{grown / MIB:.0f} MiB more, {time.monotonic() - began:.1f} s, {statuses}")
        assert statuses <= {b"422", b"503", b"408", b""}  # a busy machine takes its time
        assert grown < 250 * MIB
    unit.was_served()


def test_a_body_that_is_too_long_is_refused_before_it_is_received(start: Start) -> None:
    server = start()
    reply = server.send(head("events", 10**12) + b"{")
    assert reply.startswith(b"HTTP/1.1 413 ")
    status, body, _ = server.ask("POST", "/api/v1/events", bytes(3 * MIB), JSON)  # one that is sent in any case
    assert (status, json.loads(body)["error"]) == (413, f"a message has at most {FULL} bytes here")
    assert server.post("state", {"serial": "1", "session": session(1), "state": "MFG_STARTED"}) == 204
