"""One HTTP exchange with requests: bounded in time, redirects checked, failures named in plain words."""

from __future__ import annotations

import http
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from gprov.adapters.linux.net.bounded import TookTooLong, within
from gprov.domain.errors import NetworkFault
from gprov.domain.mfg.urls import redacted, url_problem

if TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter

_CONNECT_SECONDS = 20.0
_REDIRECTS = 5
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 256 << 10  # bytes asked of the socket at once
_LENGTH_DIGITS = 18


class Broken(Exception):
    """The exchange failed in a way that may not happen again. ``str`` says how, without secrets."""


class Answer:
    """Status, headers and the unread body of one exchange, as sent: no content encoding is undone."""

    def __init__(self, response: requests.Response, adapter: HTTPAdapter) -> None:
        self._response = response
        self._adapter = adapter
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def blocks(self) -> Iterator[bytes]:
        """The body as it comes in: each block is what one read of the socket gave. Raises Broken."""
        with _translated():
            while block := self._response.raw.read1(_BLOCK, decode_content=False):
                yield block

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
    ca_file: str | None = None,
) -> Iterator[Answer]:
    """Send a request and read the headers of its answer within ``seconds``; then no read of the body waits longer.

    Raises Broken if it may be tried again, NetworkFault if that would be no use.
    """
    peer = redacted(url)

    def send() -> Answer:
        with _translated():
            return _follow(method, url, headers, body, seconds, ca_file)

    try:
        answer = within(seconds, send, Answer.close)
    except TookTooLong as exc:
        raise Broken(f"no answer within {seconds:g} s") from exc
    except NetworkFault as exc:
        raise NetworkFault(peer, exc.reason) from exc
    try:
        yield answer
    finally:
        answer.close()


def _follow(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, ca_file: str | None
) -> Answer:
    """Redirects only for GET and HEAD: nothing that was posted goes to another place than it was meant for."""
    own = dict(headers)
    for _ in range(_REDIRECTS + 1):
        answer = _send(method, url, own, body, seconds, ca_file)
        if method not in ("GET", "HEAD") or answer.status not in _REDIRECT_STATUS:
            return answer
        location = answer.headers.get("Location", "")
        answer.close()
        target, problem = _redirect_target(url, location)
        if problem or (url.startswith("https:") and not target.startswith("https:")):
            raise NetworkFault(redacted(url), f"redirects to {redacted(target)}, which {problem or 'is not encrypted'}")
        if urlsplit(target).netloc != urlsplit(url).netloc:
            own = {name: value for name, value in own.items() if name.lower() not in ("authorization", "cookie")}
        url = target
    raise NetworkFault(redacted(url), f"redirects more than {_REDIRECTS} times")


def _redirect_target(url: str, location: str) -> tuple[str, str | None]:
    """Where a redirect leads, and what is wrong with that."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return location, "is no URL"
    return target, url_problem(target)


def _send(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, ca_file: str | None
) -> Answer:
    import requests
    from requests.adapters import HTTPAdapter

    bare, login = _without_login(url)
    whole = {"User-Agent": "gprov", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close", **headers}
    # No session: it would read proxies from the environment and .netrc, keep cookies, and follow redirects half-way.
    adapter = HTTPAdapter()
    try:
        response = adapter.send(
            requests.Request(method, bare, headers=whole, data=body, auth=login).prepare(),
            # A little longer than the whole exchange may take: who waits for that says so.
            timeout=(min(seconds, _CONNECT_SECONDS), seconds * 1.1),
            stream=True,
            verify=ca_file or True,
        )
    except BaseException:
        adapter.close()
        raise
    return Answer(response, adapter)


def _without_login(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL as exceptions of the library may quote it, and name and password apart."""
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
        raise Broken("no connection in time") from _root(exc)
    except (requests.RequestException, HTTPError, HTTPException, OSError) as exc:
        cause = _root(exc)
        # The cause rather than its wrappers, which quote whole URLs.
        raise Broken(_words(cause)) from cause


def _root(error: BaseException) -> BaseException:
    """The innermost exception that tells something."""
    inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    for candidate in (inner, *error.args):
        if isinstance(candidate, BaseException) and candidate is not error:
            return _root(candidate)
    return error


def _words(error: BaseException) -> str:
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
    return {"IncompleteRead": "the connection ended early", "RemoteDisconnected": "the server hung up"}.get(
        type(error).__name__, f"no valid HTTP ({type(error).__name__})"
    )
