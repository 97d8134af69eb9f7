"""One HTTP exchange with requests: bounded in time, redirects checked, errors without secrets."""

from __future__ import annotations

import http
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from gprov.adapters.linux.net.call_timeout import CallTimedOut, Watchdog, call_with_timeout
from gprov.domain.errors import NetworkFault
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.domain.unit.trust import is_encrypted

if TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter

    from gprov.adapters.linux.net.exchange_connections import ExchangeConnections

# The TLS context for a URL, None if it is not https. May raise GprovError.
TlsFor = Callable[[str], "ssl.SSLContext | None"]

_CONNECT_SECONDS = 20.0
_REDIRECTS = 5
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 256 << 10  # bytes asked of the socket at once
_LENGTH_DIGITS = 18


class TransferInterrupted(Exception):
    """The exchange failed, but a retry may succeed. ``str`` is the reason, without secrets."""


class HttpResponse:
    """Status, headers and the unread body of one exchange, as sent: content encodings are not decoded. ``seconds``:
    timeout of one read of the body."""

    def __init__(
        self, response: requests.Response, adapter: HTTPAdapter, connections: ExchangeConnections, seconds: float
    ) -> None:
        self._response = response
        self._adapter = adapter
        self._connections = connections
        self._seconds = seconds
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def blocks(self) -> Iterator[bytes]:
        """The body in blocks, each from one read of the socket. Raises TransferInterrupted."""
        watchdog = Watchdog(self._seconds, self._connections.shut_down)
        try:
            while block := self._read(watchdog):
                yield block
        finally:
            watchdog.close()

    def _read(self, watchdog: Watchdog) -> bytes:
        """Return b"" at the end. A socket timeout limits silence only: a peer may keep sending data that is not part of
        the body."""
        late = f"nothing of the file came within {self._seconds:g} s"
        try:
            with _translated(), watchdog.step():
                block: bytes = self._response.raw.read1(_BLOCK, decode_content=False)
        except TransferInterrupted as exc:
            if watchdog.expired:
                raise TransferInterrupted(late) from exc
            raise
        if watchdog.expired:
            raise TransferInterrupted(late)
        return block

    @property
    def length(self) -> int | None:
        """Announced bytes of the body; None for what is no number, or one of more digits than any file has bytes."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LENGTH_DIGITS else None

    def described(self) -> str:
        """The status as a person reads it: "503 Service Unavailable"."""
        try:
            return f"{self.status} {http.HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    def close(self) -> None:
        self._response.close()
        self._adapter.close()


@contextmanager
def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    seconds: float,
    tls: TlsFor,
) -> Iterator[HttpResponse]:
    """Send a request and read the headers of its answer within ``seconds``; later each read of the body has that
    timeout.

    Raises TransferInterrupted if a retry may succeed, else NetworkFault.
    """
    from gprov.adapters.linux.net.exchange_connections import ExchangeConnections

    connections = ExchangeConnections()
    request = _Request(method=method, headers=headers, body=body, seconds=seconds, tls=tls, connections=connections)
    try:
        answer = _answer(url, request)
        try:
            yield answer
        finally:
            answer.close()
    finally:
        # Also ends the reads of a thread that timed out.
        connections.shut_down()


@dataclass(frozen=True, kw_only=True)
class _Request:
    """Properties of a request that do not change with redirects."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float
    tls: TlsFor
    connections: ExchangeConnections


def _answer(url: str, request: _Request) -> HttpResponse:
    def send() -> HttpResponse:
        with _translated():
            return _follow(url, request)

    try:
        return call_with_timeout(request.seconds, send, HttpResponse.close)
    except CallTimedOut as exc:
        raise TransferInterrupted(f"no answer within {request.seconds:g} s") from exc
    except NetworkFault as exc:
        raise NetworkFault(redacted(url), exc.reason) from exc


def _follow(url: str, request: _Request) -> HttpResponse:
    """Redirects are followed for GET and HEAD only: posted data must not be sent to another server."""
    for _ in range(_REDIRECTS + 1):
        answer = _send(url, request)
        if request.method not in ("GET", "HEAD") or answer.status not in _REDIRECT_STATUS:
            return answer
        location = answer.headers.get("Location", "")
        answer.close()
        target, problem = _redirect_target(url, location)
        if problem or (is_encrypted(url) and not is_encrypted(target)):
            raise NetworkFault(redacted(url), f"redirects to {redacted(target)}, which {problem or 'is not encrypted'}")
        if urlsplit(target).netloc != urlsplit(url).netloc:
            kept = {name: v for name, v in request.headers.items() if name.lower() not in ("authorization", "cookie")}
            request = replace(request, headers=kept)
        url = target
    raise NetworkFault(redacted(url), f"redirects more than {_REDIRECTS} times")


def _redirect_target(url: str, location: str) -> tuple[str, str | None]:
    """Target URL of a redirect, and the problem with it or None."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return location, "is not a URL"
    return target, url_problem(target)


def _send(url: str, request: _Request) -> HttpResponse:
    import requests

    from gprov.adapters.linux.net.exchange_connections import registering_adapter

    bare, login = _without_login(url)
    usual = {"User-Agent": "gprov", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    headers = {**usual, **request.headers}
    # No session: it would read proxies from the environment and .netrc, keep cookies, and follow redirects half-way.
    tls = request.tls(url)
    adapter = registering_adapter(request.connections, tls)
    try:
        response = adapter.send(
            requests.Request(request.method, bare, headers=headers, data=request.body, auth=login).prepare(),
            # Slightly longer than the timeout of the exchange, so that the latter is reported.
            timeout=(min(request.seconds, _CONNECT_SECONDS), request.seconds * 1.1),
            stream=True,
            verify=tls is None or tls.verify_mode is not ssl.CERT_NONE,
        )
    except BaseException:
        adapter.close()
        raise
    return HttpResponse(response, adapter, request.connections, request.seconds)


def _without_login(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without credentials, which exceptions of the library may quote, and the name and password."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(name), unquote(password))


@contextmanager
def _translated() -> Iterator[None]:
    from http.client import HTTPException

    import requests
    from urllib3.exceptions import HTTPError

    try:
        yield
    except requests.ConnectTimeout as exc:
        raise TransferInterrupted("no connection in time") from _root(exc)
    except (requests.RequestException, HTTPError, HTTPException, OSError) as exc:
        cause = _root(exc)
        if isinstance(cause, ssl.SSLCertVerificationError):  # a retry would fail as well
            raise NetworkFault("server", _describe_error(cause)) from cause
        # The cause rather than its wrappers, which quote whole URLs.
        raise TransferInterrupted(_describe_error(cause)) from cause


def _root(error: BaseException) -> BaseException:
    """The innermost exception with a cause."""
    inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    for candidate in (inner, *error.args):
        if isinstance(candidate, BaseException) and candidate is not error:
            return _root(candidate)
    return error


def _describe_error(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name cannot be resolved"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error.strerror}"
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    if isinstance(error, OSError) and error.errno and error.strerror:
        return error.strerror
    if type(error).__name__ == "HeadTooLong":  # its module is not imported before a connection is made
        return "its answer begins with more than 64 KiB of headers or interim answers: no usable web server"
    return {"IncompleteRead": "the connection ended early", "RemoteDisconnected": "the server hung up"}.get(
        type(error).__name__, f"no valid HTTP ({type(error).__name__})"
    )
