"""One connection: uvicorn's HTTP/1.1 protocol, with bounds for the size and time of heads, for requests that are sent
ahead, and for replies that are not read.

It depends on the methods that uvicorn's ``HttpToolsProtocol`` calls itself by; ``tests/integ/server/attacks`` notice if
another version does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gprov.apps.server.web.limits.log_lines import access as log
from gprov.apps.server.web.limits.replies import CYCLE
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import error_reply
from gprov.domain.factory.settings.limits import Limits

# What is read is given to the parser in such pieces, so that a head's size is known in time; within a body, in larger
# ones.
_HEAD_PIECE, _BODY_PIECE = 4096, 65536
_FIELDS = 100
# Requests that wait behind one that is worked on. No client of this server sends any.
_AHEAD = 8
# For what is still to be sent after the end of a connection.
_LINGER_SECONDS = 10.0


class HeadRefusedError(Exception):
    """Ends the parser's work on a connection; the reply is noted."""


class LimitedProtocol(HttpToolsProtocol):
    """``overdue`` is to be asked from time to time whether the connection's time is over."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._limits = limits
        self._between = True  # the last message is complete, and the head of the next one is not
        self._head_deadline: float | None = None
        self._head_bytes = 0
        self._refusal = (400, "not HTTP/1.1")
        self._mark: tuple[float, int] | None = None  # time, and bytes not sent then: the client does not read fast
        self._closing_since: float | None = None
        self._other_protocol = False
        self._running: RequestResponseCycle | None = None
        self.when_lost: Callable[[], None] = lambda: None

    @property
    def busy(self) -> bool:
        """Whether a request is being received, worked on or answered."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def overdue(self, now: float) -> str:
        """Why the connection must be ended; "" if it need not be. ``now``: by the loop's clock."""
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            return "its end takes too long" if now - self._closing_since > _LINGER_SECONDS else ""
        if self._head_deadline is not None and now > self._head_deadline and not self.busy:
            return "no whole request in time"
        return "the reply is read too slowly" if self._stalls(now) else ""

    def _stalls(self, now: float) -> bool:
        if self._mark is None:
            return False
        since, before = self._mark
        if now - since < self._limits.reply_stall_seconds:
            return False
        left = self.transport.get_write_buffer_size()
        self._mark = (now, left)
        return before - left < self._limits.reply_bytes_per_second * (now - since)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._await_head()

    @override
    def data_received(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self.transport.is_closing() and not self._other_protocol:
            in_head = self._between
            size = _HEAD_PIECE if in_head else _BODY_PIECE
            piece, view = bytes(view[:size]), view[size:]
            if in_head:
                self._await_head()
            super().data_received(piece)
            if in_head and self._between:
                self._count_head(len(piece))

    def _await_head(self) -> None:
        if self._head_deadline is None:
            self._head_deadline = self.loop.time() + self._limits.head_seconds

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes and not self.transport.is_closing():
            self._refusal = (431, f"the head of a request has at most {self._limits.head_bytes} bytes")
            self.send_400_response("")

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    @override
    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._limits.head_bytes or len(self.headers) > _FIELDS:
            self._refuse(431, f"the head of a request has at most {self._limits.head_bytes} bytes and {_FIELDS} fields")
        if not self.url.startswith(b"/") and self.url != b"*":
            self._refuse(400, "the target of a request must be a path")  # a proxy would be asked for a URL or a host
        if len(self.pipeline) >= _AHEAD:
            self._refuse(400, "too many requests were sent ahead")
        self._between = False
        self._head_deadline = None
        self._head_bytes = 0
        super().on_headers_complete()

    def _refuse(self, status: int, message: str) -> None:
        self._refusal = (status, message)
        raise HeadRefusedError(message)

    @override
    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        if self.busy:  # the client would take it as the reply to an earlier request
            self.abort()
            return
        status, message = self._refusal
        log.info(
            "%s - refused: %s", self.client[0] if self.client else "-", message, extra={"kind": "requests refused"}
        )
        body = encode(error_reply(message))
        head = (b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n") % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """The request is answered as if it asked for no other protocol (RFC 9110 section 7.8); what follows it is not
        read, since it may be in the other one."""
        self._other_protocol = True
        self.cycle.keep_alive = False

    def abort(self) -> None:
        """End the connection without sending what waits."""
        self._forget()
        self.transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)
        self.when_lost()

    def _forget(self) -> None:
        """What is worked on sends nothing more: uvicorn ends only the request that was received last."""
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
            self.flow.resume_writing()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        cycle.scope["extensions"] = {CYCLE: {"cycle": cycle}}
        super()._start_asgi_task(cycle, app)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._mark = (self.loop.time(), self.transport.get_write_buffer_size())

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._mark = None
