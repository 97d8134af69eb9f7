"""The simulated web server."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from enum import Enum

from gprov.adapters.fake.net.certificate import FakeCertificate
from gprov.adapters.fake.system.clock import FakeClock


class ServerFault(Enum):
    """How a web server fails to serve one file."""

    HANGS = "hangs"  # takes the request and sends no reply
    RESETS = "resets"  # breaks the connection half-way; supports Range, so that downloads resume
    NO_RANGE = "no-range"  # breaks the connection half-way; ignores Range, so that downloads restart
    OVERSTATES = "lies"  # sends a Content-Length larger than the body, at every request
    TRUNCATES = "truncated"  # serves half of the file as the whole
    STALE = "stale"  # serves other content
    LONGER = "longer"  # serves a longer file, and announces its length
    ENDLESS = "endless"  # sends a body without an announced length and without an end
    DRIPS = "drips"  # sends a byte a second
    INTERIM = "interim"  # sends interim answers (1xx) without end
    REDIRECTS = "redirects"  # redirects without end
    ENCODES = "encodes"  # sends a compressed body that was not asked for, of zeros: a thousandth of its length


class Cut(Exception):
    """The exchange failed, and a retry may succeed. ``str``: the reason."""


class Refused(Exception):
    """The exchange failed, and a retry fails as well. ``str``: the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``begin``: offset of the body's first byte in the file; ``announced``: length of the whole file, None if the
    server does not tell it; ``endless``: the body is repeated until the client hangs up; ``encoded``: it has a content
    encoding."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    begin: int = 0
    announced: int | None = None
    endless: bool = False
    encoded: bool = False


@dataclass(kw_only=True)
class FakeOrigin:
    """Files of the simulated web server by URL. ``certificate``: shown at https URLs. ``down``: no reply at all.
    ``faults``: by URL; ``remaining_breaks``: number of connections still to break. ``requests``: URL and first byte of
    each request."""

    content: dict[str, bytes] = field(default_factory=dict)
    certificate: FakeCertificate | None = None
    down: bool = False
    faults: dict[str, ServerFault] = field(default_factory=dict)
    remaining_breaks: int = 2
    requests: list[tuple[str, int]] = field(default_factory=list)

    def send(self, url: str, start: int, timeout: float, clock: FakeClock) -> Answer:
        """Answer one request for the bytes from ``start``. Raises Cut (after ``timeout`` seconds, without a reply) or
        Refused."""
        self.requests.append((url, start))
        fault, content = self.faults.get(url), self.content.get(url)
        if self.down or fault in (ServerFault.HANGS, ServerFault.DRIPS):
            clock.sleep(timeout)
            if fault is ServerFault.DRIPS:
                raise Cut(f"only {timeout:.0f} bytes came within {timeout:g} s")
            raise Cut(f"no answer within {timeout:g} s")
        if content is None:
            return Answer(status=404)
        return (
            self._faulty(fault, content, start)
            if fault
            else Answer(body=content[start:], begin=start, announced=len(content))
        )

    def _faulty(self, fault: ServerFault, content: bytes, start: int) -> Answer:
        half, whole = content[: len(content) // 2], len(content)
        if fault in (ServerFault.RESETS, ServerFault.NO_RANGE):
            begin = start if fault is ServerFault.RESETS else 0
            broken = self.remaining_breaks > 0
            self.remaining_breaks -= broken
            return Answer(body=(half if broken else content)[begin:], begin=begin, announced=whole)
        match fault:
            case ServerFault.OVERSTATES:
                return Answer(body=half, announced=whole)
            case ServerFault.TRUNCATES:
                return Answer(body=half, announced=len(half))
            case ServerFault.STALE:
                return Answer(body=b"stale " + half, announced=len(half) + 6)
            case ServerFault.LONGER:
                return Answer(body=content * 2, announced=2 * whole)
            case ServerFault.ENDLESS:
                return Answer(body=content or b"x", endless=True)
            case ServerFault.ENCODES:
                packed = gzip.compress(bytes(1 << 20))
                return Answer(body=packed, announced=len(packed), encoded=True)
            case ServerFault.INTERIM:
                raise Cut("its answer begins with more than 64 KiB of headers or interim answers: no usable web server")
            case ServerFault.REDIRECTS:
                raise Refused("redirects more than 5 times")
            case _:
                raise AssertionError(fault)
