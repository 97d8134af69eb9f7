"""Which names a request may address the server by, and what its head must not hold.

A page of another site can have its own name resolve to this server's address (DNS rebinding): the browser then sends
the page's requests here, with that name in ``Host``. An address instead of a name cannot be made to point elsewhere, so
each address is accepted: behind address translation it is not one of the server's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

LOCALHOST = "localhost"
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
_LENGTH = re.compile(rb"[0-9]{1,18}")
Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class HeadProblem:
    """Why a request is refused by its head alone. ``status``: of the reply."""

    status: int
    message: str


class AllowedHosts:
    """``names``: DNS names and addresses, as configured; ``public_url``: its host is one more; "" for none."""

    def __init__(self, names: Iterable[str], public_url: str = "") -> None:
        public = urlsplit(public_url).hostname or ""
        self._names = frozenset(name.lower().rstrip(".") for name in (LOCALHOST, public, *names) if name)

    def problem(self, host: str) -> HeadProblem | None:
        """``host``: value of the Host field."""
        parsed = _HOST.fullmatch(host)
        if parsed is None:
            return HeadProblem(400, "Host must be a name or an address, and perhaps a port")
        name = parsed["name"].strip("[]").lower().rstrip(".")
        if name in self._names or _is_address(name):
            return None
        return HeadProblem(421, "this server has another name: use its address, or add the name to its settings")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def head_problem(http_version: str, fields: Sequence[Field], hosts: AllowedHosts) -> HeadProblem | None:
    """What is wrong with the head of a request; None if nothing. Names of ``fields`` are in lower case.

    Bodies must have a stated length: two programs that read one stream may disagree where a body without one ends
    (RFC 9112 section 11.2), and its many small chunks cost more than they carry. Section 6.3 allows to refuse them.
    """
    lengths = [value for name, value in fields if name == b"content-length"]
    coded = any(name == b"transfer-encoding" for name, _ in fields)
    if coded:
        return HeadProblem(400 if lengths else 411, "a body must have a Content-Length, and no Transfer-Encoding")
    if len(lengths) > 1 or any(not _LENGTH.fullmatch(value) for value in lengths):
        return HeadProblem(400, "Content-Length must be one number")
    if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in fields):
        return HeadProblem(415, "a body must not be compressed (Content-Encoding)")
    if any(name == b"upgrade" and value.strip().lower() == b"websocket" for name, value in fields):
        return HeadProblem(400, "this server has no WebSockets")
    return _host_problem(http_version, [value for name, value in fields if name == b"host"], hosts)


def target_problem(target: bytes) -> HeadProblem | None:
    """``target``: path and query as they were sent. No text of this server has a NUL, and PostgreSQL stores none."""
    return HeadProblem(400, "the target must not hold a NUL (%00)") if b"%00" in target else None


def _host_problem(http_version: str, stated: Sequence[bytes], hosts: AllowedHosts) -> HeadProblem | None:
    if not stated:
        # Browsers send HTTP/1.1. Section 3.2 of RFC 9112 requires Host there.
        return None if http_version == "1.0" else HeadProblem(400, "Host is missing")
    if len(stated) > 1:
        return HeadProblem(400, "Host must be given once")
    return hosts.problem(stated[0].decode("latin-1").strip())


def body_length(fields: Sequence[Field]) -> int:
    """Bytes of the body by a head that ``head_problem`` accepts."""
    return next((int(value) for name, value in fields if name == b"content-length"), 0)
