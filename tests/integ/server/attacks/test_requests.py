"""Heads of requests: of any size and number, ambiguous, for other servers and protocols. And what the log has of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.integ.server.attacks.attacked import MIB, Attacked, Unit, exchange, session

BODY = b'{"serial":"smuggled","session":"%b","state":"MFG_STARTED"}' % session(7).encode()
POST = b"POST /api/v1/state HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    running = Attacked(tmp_path_factory.mktemp("attacked") / "data")
    with closing(running):
        running.start()
        (running.data / "files" / "image").write_bytes(bytes(MIB))
        yield running
    assert "Traceback" not in running.log


def head(fields: bytes, method: bytes = b"GET", target: bytes = b"/api/v1/time", version: bytes = b"1.1") -> bytes:
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, fields)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (head(b"Host: localhost\r\n"), 200),
        (head(b"Host: LOCALHOST.:8901\r\n"), 200),
        (head(b"Host: 10.0.2.2:8901\r\n"), 200),
        (head(b"Host: [::1]\r\n"), 200),
        (head(b"", version=b"1.0"), 200),
        (head(b"Host: evil.example\r\n"), 421),
        (head(b"Host: localhost.evil.example\r\n"), 421),
        (head(b"Host: 127.0.0.1.evil.example\r\n"), 421),
        (head(b"Host: evil.example\r\n", target=b"/boot.ipxe"), 421),
        (head(b"Host: evil.example\r\n", target=b"/files/image"), 421),
        (head(b"Host: evil.example\r\n", version=b"1.0"), 421),
        (head(b""), 400),
        (head(b"Host: localhost\r\nHost: localhost\r\n"), 400),
        (head(b"Host: localhost, evil.example\r\n"), 400),
        (head(b"Host: user@localhost\r\n"), 400),
        (head(b"Host: evil.example\r\n", target=b"http://localhost/api/v1/time"), 400),
        (head(b"Host: localhost\r\n", method=b"CONNECT", target=b"localhost:22"), 400),
        (head(b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), 400),
        (head(b"Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"), 200),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (head(b"Host: localhost\r\n", method=b"TRACE"), 405),
        (head(b"Host: localhost\r\n", target=b"/files/%00"), 400),
        (head(b"Host: localhost\r\n", target=b"/files/" + b"a" * 5000), 404),
        (head(b"Host: localhost\r\n", target=b"/files/%ff%fe"), 404),
        (head(b"Host: localhost\r\n", target=b"/api/v1/unit?serial=%ff%00"), 400),
        (head(b"Host: localhost\r\n", target=b"/recent/?q=%00"), 400),  # which PostgreSQL does not take
        (head(b"Host: localhost\r\n", target=b"/api/v1/unit?serial=%ff%2500"), 404),
        (head(b"Host: localhost\r\n", target=b"/api/v1/units?offset=" + b"9" * 5000), 422),
        (head(b"Host: localhost\r\n", target=b"/api/v1/time?\xff"), 400),
        (head(b"Host: localhost\r\nRange: bytes=0-0,2-2\r\n", target=b"/files/image"), 416),
        (head(b"Host: localhost\r\nRange: bytes=" + b"0-," * 4000 + b"0-\r\n", target=b"/files/image"), 416),
        (head(b"Host: localhost\r\nRange: bytes=5-2\r\n", target=b"/files/image"), 400),
        (head(b"Host: localhost\r\nRange: lines=1\r\n", target=b"/files/image"), 400),
    ],
)
def test_heads(server: Attacked, request_: bytes, status: int) -> None:
    reply = server.head_of_reply(request_)
    assert reply.startswith(b"HTTP/1.1 %d " % status), reply[:300]


def test_huge_heads(server: Attacked) -> None:
    before = server.memory()
    for field in (b"X: " + b"a" * 50_000_000, b"X: y\r\n" * 5_000_000, b"a" * 50_000_000, b"\r\n" * 20_000_000):
        reply = server.send(b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n" + field)
        assert reply == b"" or reply.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ", b"HTTP/1.1 200 ")), reply[:100]
    assert server.send(b"GET /" + b"a" * 50_000_000).startswith((b"HTTP/1.1 431 ", b""))
    assert server.send(head(b"Host: localhost\r\n" + b"X: y\r\n" * 120)).startswith(b"HTTP/1.1 431 ")
    assert server.memory() - before < 32 * MIB


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        b"Transfer-Encoding: identity, chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n",
        b"Content-Length: 0\r\nContent-Length: 5\r\n",
        b"Content-Length: 0, 5\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x0\r\n",
        b"Content-Length : 0\r\n",
        b"Content-Length:\r\n 0\r\n",
        b"X: y\rContent-Length: 0\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 0\r\n",
    ],
)
def test_a_body_whose_end_is_ambiguous_hides_no_request(server: Attacked, lengths: bytes) -> None:
    hidden = b"%bContent-Length: %d\r\n\r\n%b" % (POST, len(BODY), BODY)
    reply = server.send(POST + lengths + b"\r\n0\r\n\r\n" + hidden, seconds=1)
    assert reply.count(b"HTTP/1.1 ") <= 1
    assert reply == b"" or reply.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 411 ", b"HTTP/1.1 415 ")), reply[:200]
    assert server.ask("GET", "/api/v1/unit?serial=smuggled")[0] == 404


def test_requests_that_are_sent_ahead(server: Attacked) -> None:
    """Eight may wait; a flood ends the connection and takes no memory."""
    one = head(b"Host: localhost\r\n")
    assert server.send(one * 8).count(b"HTTP/1.1 200 ") == 8
    before = server.memory()
    for _ in range(20):
        with closing(server.connect()) as peer:
            exchange(peer, one * 200_000)
    assert server.memory() - before < 64 * MIB


def test_floods_of_requests(tmp_path: Path) -> None:
    """One address asks as fast as it can, without waiting for replies; a unit is served meanwhile, and the log is not
    filled."""
    server = Attacked(tmp_path / "data")
    with closing(server):
        server.start()
        ends = time.monotonic() + 4
        requests = [
            head(b"Host: localhost\r\n", method, target)
            for method, target in (
                (b"GET", b"/openapi.json"),
                (b"OPTIONS", b"/api/v1/events"),
                (b"HEAD", b"/files/x"),
                (b"GET", b"/%0aforged"),
            )
        ]

        def flood(request: bytes) -> int:
            sent = 0
            while time.monotonic() < ends:
                try:
                    with closing(server.connect("127.0.0.66", 5)) as peer:
                        for _ in range(50):
                            peer.sendall(request)
                            sent += bool(peer.recv(65536))
                except OSError:
                    pass
            return sent

        with Unit(server).reporting() as unit, ThreadPoolExecutor(4) as pool:
            sent = sum(pool.map(flood, requests))
        print(f"{sent} replies in 4 s, log of {len(server.log)} bytes")
        assert "\nforged" not in server.log
        assert len(server.log) < MIB
        unit.was_served()


def test_requests_that_take_long(tmp_path: Path) -> None:
    """Four addresses ask for pages over many connections, and partly do not wait for them: the work for a unit is not
    behind all of theirs. That took 14 s."""
    server = Attacked(tmp_path / "data")
    with closing(server):
        server.start()
        ends = time.monotonic() + 4

        def flood(number: int) -> int:
            request, replies = head(b"Host: localhost\r\n", target=b"/recent/"), 0
            while time.monotonic() < ends:
                with suppress(OSError), closing(server.connect(f"127.0.1.{1 + number % 4}", 3)) as peer:
                    peer.sendall(request * 8)
                    if number % 2:
                        time.sleep(0.02)
                        continue
                    while time.monotonic() < ends and peer.recv(65536):
                        replies += 1
            return replies

        with Unit(server).reporting() as unit, ThreadPoolExecutor(80) as pool:
            replies = sum(pool.map(flood, range(80)))
        print(f"{replies} replies in 4 s")
        unit.was_served()
        assert "Traceback" not in server.log


def test_the_log_has_one_line_for_each_request_and_no_secrets(server: Attacked) -> None:
    began = len(server.log)
    for target in (
        b"/x?token=hush-1&mac=56:78:90:00:00:01",
        b"/x?hush-2",
        b"/a%0d%0a2026-01-01%20INFO%20forged",
        b"/%1b[2J",
        b"/" + b"a" * 9000,
    ):
        server.send(head(b"Host: localhost\r\nConnection: close\r\n", target=target))
    lines = server.log[began:].splitlines()
    assert len(lines) == 5
    assert all(re.match(r"[\d-]{10} [\d:,]{12} INFO 127\.0\.0\.66:\d+ - \"GET /", line) for line in lines)
    assert lines[0].endswith('"GET /x?token=***&mac=56:78:90:00:00:01 HTTP/1.1" 404')
    assert "hush" not in "".join(lines)
    assert "\x1b" not in "".join(lines)
    assert max(map(len, lines)) < 2200


@pytest.mark.parametrize("name", ["page.html", "picture.svg"])
def test_a_file_for_units_has_no_rights_of_our_pages(server: Attacked, name: str) -> None:
    """A browser would run its scripts as those of this server, for the person who is signed in."""
    (server.data / "files" / name).write_text("<script>alert(1)</script>")
    reply = server.head_of_reply(head(b"Host: localhost\r\n", target=f"/files/{name}".encode())).lower()
    assert b"content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n" in reply
    assert b"x-content-type-options: nosniff\r\n" in reply
