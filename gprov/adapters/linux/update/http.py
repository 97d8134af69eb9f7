"""UpdateServer port on ``http.client``: the system of a unit need not have more than Python.

HTTP: RFC 9110; ranges: section 14, validators: section 8.8.
"""

from __future__ import annotations

import hashlib
import http
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from gprov import __version__
from gprov.adapters.linux.net.bounded_head import BoundedResponse, HeadTooLong
from gprov.domain.errors import BadInput, HttpRefusal, NetworkFault, Problem
from gprov.domain.mfg.urls import is_same_origin, redacted, url_problem
from gprov.ports.network import Reply
from gprov.ports.update import ArtifactStream, UpdateServer

_BLOCK = 256 << 10
_SILENCE = 30.0  # seconds in which something must come
_WHOLE = 60.0  # seconds for a message of the server
_WINDOW, _LEAST = 60.0, 60 << 10  # a file of which fewer bytes come in so many seconds is asked for again
_REDIRECTS = 5
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})
# Others than these are not changed by a retry, if the client is at fault by them.
_PASSING_STATUS = frozenset({408, 425, 429})
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class ServerCertificate:
    """How a server proves itself: by a CA in ``ca_file``, by those of the system (""), or by its own certificate, whose
    SHA-256 is ``pinned``."""

    ca_file: str = ""
    pinned: str = ""

    def context(self) -> ssl.SSLContext:
        """Raises BadInput."""
        if self.pinned:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            try:
                context = ssl.create_default_context(cafile=self.ca_file or None)
            except (OSError, ssl.SSLError) as exc:
                raise BadInput(self.ca_file, [Problem("", f"is no file of CA certificates: {exc.strerror}")]) from exc
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class StdUpdateServer(UpdateServer):
    """Follows redirections of GET alone, never from https to http, and without the token to another server."""

    def __init__(self, certificate: ServerCertificate) -> None:
        self._pinned = certificate.pinned
        self._tls = certificate.context()

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 1 << 20,
    ) -> Reply:
        end = time.monotonic() + _WHOLE
        with self._exchange(_Asked(method=method, url=url, headers=headers or {}, body=body)) as answer:
            content = bytearray()
            for block in _blocks(url, answer):
                content += block
                if len(content) > limit:
                    raise NetworkFault(redacted(url), f"its answer is longer than {limit} bytes")
                if time.monotonic() > end:
                    raise NetworkFault(redacted(url), f"no whole answer within {_WHOLE:g} s")
            return Reply(answer.status, bytes(content))

    @override
    @contextmanager
    def open(
        self, url: str, *, begin: int = 0, proof: str = "", headers: Mapping[str, str] | None = None
    ) -> Iterator[ArtifactStream]:
        wanted = {**(headers or {}), **_range_headers(begin, proof)}
        with self._exchange(_Asked(method="GET", url=url, headers=wanted)) as answer:
            if answer.status != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield _Stream(url, answer, begin, proof)
                return
        # The file is shorter than what was there of it: it is another one.
        with self._exchange(_Asked(method="GET", url=url, headers=headers or {})) as answer:
            yield _Stream(url, answer, 0, "")

    @contextmanager
    def _exchange(self, asked: _Asked) -> Iterator[HTTPResponse]:
        for _ in range(_REDIRECTS + 1):
            with self._single(asked) as answer:
                if asked.method != "GET" or answer.status not in _REDIRECT_STATUS:
                    yield answer
                    return
                asked = asked.redirected(answer.headers.get("Location", ""))
        raise NetworkFault(redacted(asked.url), f"redirects more than {_REDIRECTS} times")

    @contextmanager
    def _single(self, asked: _Asked) -> Iterator[HTTPResponse]:
        if problem := url_problem(asked.url):
            raise NetworkFault(redacted(asked.url), problem)
        parts = urlsplit(asked.url)
        host = parts.hostname or ""
        with _translated(asked.url):
            if parts.scheme == "https":
                connection: HTTPConnection = _Encrypted(host, parts.port, timeout=_SILENCE, context=self._tls)
            else:
                connection = _Plain(host, parts.port, timeout=_SILENCE)
        try:
            with _translated(asked.url):
                connection.connect()
                self._check_pin(asked.url, connection)
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(asked.method, target, body=asked.body, headers=asked.all_headers)
                answer = connection.getresponse()
            with closing(answer):  # it keeps the socket beyond its connection
                if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                    raise NetworkFault(redacted(asked.url), "sent its answer encoded, which was not asked for")
                yield answer
        finally:
            connection.close()

    def _check_pin(self, url: str, connection: HTTPConnection) -> None:
        if not self._pinned or not isinstance(connection.sock, ssl.SSLSocket):
            return
        certificate = connection.sock.getpeercert(binary_form=True) or b""
        found = hashlib.sha256(certificate).hexdigest()
        if found != self._pinned:
            text = f"its certificate has the SHA-256 {found}, and server_sha256 is {self._pinned}"
            raise NetworkFault(redacted(url), text)


class _Plain(HTTPConnection):
    response_class = BoundedResponse


class _Encrypted(HTTPSConnection):
    response_class = BoundedResponse


@dataclass(frozen=True, kw_only=True)
class _Asked:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # with the token
    body: bytes | None = None

    @property
    def all_headers(self) -> dict[str, str]:
        usual = {"User-Agent": f"gprov-update/{__version__}", "Accept-Encoding": "identity", "Connection": "close"}
        return {**usual, **self.headers}

    def redirected(self, location: str) -> _Asked:
        """Raises NetworkFault."""
        try:
            target = urljoin(self.url, location)
        except ValueError:  # of brackets that hold no address
            target = location
        problem = url_problem(target) if location else "is missing"
        if problem is None and urlsplit(self.url).scheme == "https" and urlsplit(target).scheme != "https":
            problem = "is not encrypted"
        if problem:
            raise NetworkFault(redacted(self.url), f"redirects to {redacted(target)}, which {problem}")
        same = is_same_origin(self.url, target)
        kept = {name: text for name, text in self.headers.items() if same or name != "Authorization"}
        return _Asked(method=self.method, url=target, headers=kept)


class _Stream(ArtifactStream):
    def __init__(self, url: str, answer: HTTPResponse, begin: int, proof: str) -> None:
        self._url = url
        self._answer = answer
        self._begin = 0
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
        came, end = 0, time.monotonic() + _WINDOW
        for block in _blocks(self._url, self._answer):
            yield block
            came += len(block)
            if time.monotonic() > end:
                if came < _LEAST:
                    raise NetworkFault(redacted(self._url), f"only {came} bytes came within {_WINDOW:g} s")
                came, end = 0, time.monotonic() + _WINDOW


def _blocks(url: str, answer: HTTPResponse) -> Iterator[bytes]:
    announced = answer.headers.get("Content-Length", "")
    missing = int(announced) if _DIGITS.fullmatch(announced) and not answer.chunked else None
    while True:
        with _translated(url):
            block = answer.read1(_BLOCK)
        if not block:
            break
        if missing is not None:
            missing -= len(block)
        yield block
    if missing:
        raise NetworkFault(redacted(url), f"the connection ended early, {missing} bytes are missing")


def _range_headers(begin: int, proof: str) -> dict[str, str]:
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
def _translated(url: str) -> Iterator[None]:
    """Reasons without the URL of an exception, which may hold a token."""
    try:
        yield
    except HeadTooLong as exc:
        raise NetworkFault(redacted(url), "its answer begins with more than 64 KiB of headers") from exc
    except HTTPException as exc:
        raise NetworkFault(redacted(url), f"no valid HTTP ({type(exc).__name__})") from exc
    except socket.gaierror as exc:
        raise NetworkFault(redacted(url), "the host name cannot be resolved") from exc
    except ssl.SSLCertVerificationError as exc:
        raise NetworkFault(redacted(url), f"its certificate is not valid: {exc.verify_message}") from exc
    except ssl.SSLError as exc:
        raise NetworkFault(redacted(url), f"TLS failed: {exc.reason or exc.strerror}") from exc
    except TimeoutError as exc:
        raise NetworkFault(redacted(url), f"nothing came within {_SILENCE:g} s") from exc
    except OSError as exc:
        raise NetworkFault(redacted(url), exc.strerror or type(exc).__name__) from exc
