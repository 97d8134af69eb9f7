"""Targets: messages of DHCP and HTTP servers."""

from __future__ import annotations

import http.client
import io
import os
import socket
from typing import cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from fuzz.harness import Target, expect
from gprov.adapters.linux.net.bounded_head import BoundedResponse
from gprov.adapters.linux.net.exchange_connections import ExchangeConnections
from gprov.adapters.linux.net.lease import resolver_configuration, take_events
from gprov.adapters.linux.net.partial import PartialFile
from gprov.adapters.linux.net.transport import HttpResponse, TransferInterrupted, _redirect_target
from gprov.domain.unit.dhcp import UseNameServers, follow, wanted_routes
from gprov.domain.unit.lease import Lease


def lease(data: bytes) -> None:
    """Events that the script of udhcpc sends, and what becomes of the interface."""
    events, rest = take_events(data)
    expect(data.endswith(rest), "a rest that was not received")
    held: Lease | None = None
    for event, environment in events:
        outcome = follow(held, "eth0", event, environment)
        held = outcome.lease
        for action in outcome.actions:
            if isinstance(action, UseNameServers):
                resolver_configuration(action.addresses)
        if held is not None:
            wanted_routes(held)


def http_headers(data: bytes) -> None:
    """Headers of a response as passed on by requests, and their use for resuming a download."""
    # HTTPResponse uses only the method makefile of a socket.
    head = BoundedResponse(cast("socket.socket", _Received(data)))
    try:
        head.begin()
    except (http.client.HTTPException, OSError, ValueError):
        return  # the transport translates these errors
    response = requests.Response()
    response.status_code = head.status
    response.headers.update(head.getheaders())
    response.raw = HTTPResponse(io.BytesIO(b"x" * 64), preload_content=False)
    answer = HttpResponse(response, HTTPAdapter(), ExchangeConnections(), 1.0)
    answer.described()
    _redirect_target("http://h/a", answer.headers.get("Location", ""))
    fd = os.memfd_create("fuzz")
    try:
        partial = PartialFile("x", fd)
        try:
            partial.begin(answer.headers, answer.length)
        except TransferInterrupted:
            expect(not partial.resume_headers(), "a part is asked of a server that cannot be trusted with parts")
            return
        partial.write(b"x")
        again = partial.resume_headers()
        requests.Request("GET", "http://h/", headers=again).prepare()
        for name, value in again.items():
            expect(value.isprintable() and value.isascii(), f"{name} has characters that a request cannot contain")
        try:
            partial.check_continuation(answer.headers, answer.length)
        except TransferInterrupted:
            expect(partial.size == 0, "data of a refused response was kept")
    finally:
        os.close(fd)


class _Received:
    """A socket with all received data."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        expect(mode == "rb", mode)
        return io.BytesIO(self._data)


def _lease() -> list[bytes]:
    bound = b"event=bound\nip=10.0.2.15\nsubnet=255.255.255.0\nrouter=10.0.2.2\ndns=10.0.2.3 8.8.8.8\nend\n"
    routes = (
        b"event=renew\nip=10.0.2.15\nsubnet=255.255.0.0\nstaticroutes=10.9.0.0/16 10.0.2.9 0.0.0.0/0 0.0.0.0\nend\n"
    )
    return [bound + routes + b"event=nak\nend\nevent=deconfig\nend\n"]


def _heads() -> list[bytes]:
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 63\r\nContent-Range: bytes 1-63/64\r\n"
    return [
        head + b'ETag: "a"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n',
        b"HTTP/1.0 302 Found\r\nLocation: http://u@h/\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 64\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n',
    ]


_HEADER_WORDS = (
    b"Content-Length: ",
    b"Content-Range: bytes ",
    b"ETag: ",
    b"Content-Encoding: gzip",
    b"Location: ",
    b"\r\n ",
)

TARGETS = (
    Target("dhcp-lease", "DHCP leases", lease, _lease, (b"ip=", b"subnet=", b"\nend\n", b"event=", b"/0 ")),
    Target("http-headers", "heads of HTTP answers", http_headers, _heads, _HEADER_WORDS),
)
