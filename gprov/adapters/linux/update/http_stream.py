"""A file that a server is sending: where it begins, and its bytes, with the errors of connections as NetworkFault."""

from __future__ import annotations

import http
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse

from typing_extensions import override

from gprov.adapters.linux.net.bounded_head import HeadTooLong
from gprov.adapters.linux.update.watch import Watch
from gprov.domain.errors import HttpRefusal, NetworkFault
from gprov.domain.mfg.urls import redacted
from gprov.ports.update import ArtifactStream

SILENCE = 30.0  # seconds in which something must come
WHOLE = 60.0  # seconds for a message of the server, and for the headers of a file
_BLOCK = 256 << 10
_WINDOW, _LEAST = 60.0, 60 << 10  # a file of which fewer bytes come in so many seconds is asked for again
# Others than these are not changed by a retry, if the client is at fault by them.
_PASSING_STATUS = frozenset({408, 425, 429})
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Answered:
    """``watch`` ends the connection."""

    url: str
    response: HTTPResponse
    watch: Watch


class HttpStream(ArtifactStream):
    def __init__(self, answered: Answered, begin: int, proof: str) -> None:
        self._answered = answered
        self._begin = 0
        url, answer = answered.url, answered.response
        self._proof = _proof(answer.headers)
        partial = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if partial:
            self._begin = _first_byte(url, answer.headers, begin)
            self._proof = self._proof or proof
        elif answer.status != http.HTTPStatus.OK:
            raise _refusal(url, answer.status)
        accepts = answer.headers.get("Accept-Ranges", "").strip().lower() == "bytes"
        self._resumable = partial or (accepts and bool(self._proof))

    @property
    @override
    def begin(self) -> int:
        return self._begin

    @property
    @override
    def proof(self) -> str:
        return self._proof

    @property
    @override
    def resumable(self) -> bool:
        return self._resumable

    @override
    def blocks(self) -> Iterator[bytes]:
        watch, came, end = self._answered.watch, 0, time.monotonic() + _WINDOW
        watch.extend(_WINDOW)
        for block in blocks_of(self._answered):
            watch.pause()
            yield block
            watch.extend(_WINDOW)
            came += len(block)
            if time.monotonic() > end:
                if came < _LEAST:
                    raise NetworkFault(redacted(self._answered.url), f"only {came} bytes came within {_WINDOW:g} s")
                came, end = 0, time.monotonic() + _WINDOW


def blocks_of(answered: Answered) -> Iterator[bytes]:
    """Raises NetworkFault."""
    url, answer = answered.url, answered.response
    announced = answer.headers.get("Content-Length", "")
    missing = int(announced) if _DIGITS.fullmatch(announced) and not answer.chunked else None
    while True:
        with translated(url, answered.watch):
            block = answer.read1(_BLOCK)
        if not block:
            break
        if missing is not None:
            missing -= len(block)
        yield block
    if missing:
        raise NetworkFault(redacted(url), f"the connection ended early, {missing} bytes are missing")


def range_headers(begin: int, proof: str) -> dict[str, str]:
    """For the bytes from ``begin`` on."""
    if not begin:
        return {}
    condition = {"If-Range": proof} if proof and proof.isascii() and proof.isprintable() else {}
    return {"Range": f"bytes={begin}-", **condition}


def _proof(headers: HTTPMessage) -> str:
    """A weak ETag means "as good as", not "the same bytes"."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


def _first_byte(url: str, headers: HTTPMessage, wanted: int) -> int:
    match = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None or int(match[1]) != wanted:
        raise NetworkFault(redacted(url), "sent another part of the file than was asked for")
    return wanted


def _refusal(url: str, status: int) -> NetworkFault:
    try:
        text = f"answered {status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        text = f"answered {status}"
    if 400 <= status < 500 and status not in _PASSING_STATUS:
        return HttpRefusal(redacted(url), text, status)
    return NetworkFault(redacted(url), text)


@contextmanager
def translated(url: str, watch: Watch) -> Iterator[None]:
    """Reasons without the URL of an exception, which may hold a token."""
    try:
        yield
    except (HTTPException, OSError) as exc:
        raise _fault(url, watch, exc) from exc
    if watch.expired:
        raise _late(url, watch)


def _late(url: str, watch: Watch) -> NetworkFault:
    return NetworkFault(redacted(url), f"no whole answer within {watch.seconds:g} s")


def _fault(url: str, watch: Watch, exc: HTTPException | OSError) -> NetworkFault:
    """``exc``: also what a connection raises that was ended from outside."""
    if watch.expired:
        return _late(url, watch)
    if isinstance(exc, ssl.SSLCertVerificationError):
        text = f"its certificate is not valid: {exc.verify_message}"
    elif isinstance(exc, ssl.SSLError):
        text = f"TLS failed: {exc.reason or exc.strerror}"
    elif isinstance(exc, HeadTooLong):
        text = "its answer begins with more than 64 KiB of headers"
    elif isinstance(exc, HTTPException):
        text = f"no valid HTTP ({type(exc).__name__})"
    elif isinstance(exc, socket.gaierror):
        text = "the host name cannot be resolved"
    elif isinstance(exc, TimeoutError):
        text = f"nothing came within {SILENCE:g} s"
    else:
        text = exc.strerror or type(exc).__name__
    return NetworkFault(redacted(url), text)
