"""UpdateServer port on ``http.client``: the system of a unit need not have more than Python.

HTTP: RFC 9110; ranges: section 14, validators: section 8.8.
"""

from __future__ import annotations

import hashlib
import http
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from gprov import __version__
from gprov.adapters.linux.net.bounded_head import BoundedResponse
from gprov.adapters.linux.update.http_stream import (
    SILENCE,
    WHOLE,
    Answered,
    HttpStream,
    blocks_of,
    range_headers,
    translated,
)
from gprov.adapters.linux.update.watch import Watch
from gprov.domain.errors import BadInput, NetworkFault, Problem
from gprov.domain.mfg.urls import is_same_origin, redacted, url_problem
from gprov.ports.network import Reply
from gprov.ports.update import ArtifactStream, UpdateServer

_REDIRECTS = 5
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})


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

    def __init__(self, certificate: ServerCertificate, whole: float = WHOLE) -> None:
        """``whole``: seconds for a message of the server, and for the headers of a file."""
        self._whole = whole
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
        with self._exchange(_Asked(method=method, url=url, headers=headers or {}, body=body)) as answered:
            content = bytearray()
            for block in blocks_of(answered):
                content += block
                if len(content) > limit:
                    raise NetworkFault(redacted(url), f"its answer is longer than {limit} bytes")
            return Reply(answered.response.status, bytes(content))

    @override
    @contextmanager
    def open(
        self, url: str, *, begin: int = 0, proof: str = "", headers: Mapping[str, str] | None = None
    ) -> Iterator[ArtifactStream]:
        wanted = {**(headers or {}), **range_headers(begin, proof)}
        with self._exchange(_Asked(method="GET", url=url, headers=wanted)) as answered:
            if answered.response.status != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield HttpStream(answered, begin, proof)
                return
        # The file is shorter than what was there of it: it is another one.
        with self._exchange(_Asked(method="GET", url=url, headers=headers or {})) as answered:
            yield HttpStream(answered, 0, "")

    @contextmanager
    def _exchange(self, asked: _Asked) -> Iterator[Answered]:
        for _ in range(_REDIRECTS + 1):
            with self._single(asked) as answered:
                answer = answered.response
                if asked.method != "GET" or answer.status not in _REDIRECT_STATUS:
                    yield answered
                    return
                asked = asked.redirected(answer.headers.get("Location", ""))
        raise NetworkFault(redacted(asked.url), f"redirects more than {_REDIRECTS} times")

    @contextmanager
    def _single(self, asked: _Asked) -> Iterator[Answered]:
        if problem := url_problem(asked.url):
            raise NetworkFault(redacted(asked.url), problem)
        parts = urlsplit(asked.url)
        host = parts.hostname or ""
        watch = Watch(self._whole)
        with translated(asked.url, watch):
            if parts.scheme == "https":
                connection: HTTPConnection = _Encrypted(host, parts.port, timeout=SILENCE, context=self._tls)
            else:
                connection = _Plain(host, parts.port, timeout=SILENCE)
        try:
            with translated(asked.url, watch):
                connection.connect()
                watch.begin(connection.sock.fileno())
                self._check_pin(asked.url, connection)
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(asked.method, target, body=asked.body, headers=asked.all_headers)
                answer = connection.getresponse()
            with closing(answer):  # it keeps the socket beyond its connection
                if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                    raise NetworkFault(redacted(asked.url), "sent its answer encoded, which was not asked for")
                yield Answered(asked.url, answer, watch)
        finally:
            watch.end()
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
