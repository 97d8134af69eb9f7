"""Bodies of requests: received before a request is worked on, with bounds for size, time and memory of all of them.

The work itself is in turns between clients: a body of 2 MiB may become 50 MB of objects while it is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gprov.apps.server.web.limits.replies import client_of, refuse_early
from gprov.domain.factory.limits.holdings import Holdings
from gprov.domain.factory.limits.hosts import body_length
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.turns import Turns
from gprov.domain.factory.settings.limits import Limits

# Bytes of bodies that are worked on at once.
_IN_WORK = 4 << 20
# What a request without a body counts in its turn: the store is asked for it.
_LEAST = 64 << 10
_RETRY = {"Retry-After": "5"}
_GONE = "http.disconnect"


class _Evicted(Exception):
    """The body has to give its memory back."""


class _Body:
    """A body on its way. ``deadline``: of the loop's clock, for all of it."""

    def __init__(self, client: str, deadline: float) -> None:
        self.client = client
        self.deadline = deadline
        self.content = bytearray()
        self.evicted = False
        self.timer: asyncio.Timeout | None = None

    def evict(self) -> None:
        self.evicted = True
        if self.timer is not None:
            self.timer.reschedule(0.0)


class _Turn:
    def __init__(self) -> None:
        self.granted = asyncio.Event()


class BoundedBodies:
    """The application behind these bounds. ``sizes``: longest body by path; ``size``: of all other paths."""

    def __init__(self, app: ASGIApp, limits: Limits, sizes: Mapping[str, int], size: int) -> None:
        self._app = app
        self._limits = limits
        self._sizes = sizes
        self._size = size
        self._memory: Holdings[_Body] = Holdings(limits.body_memory)
        self._turns: Turns[_Turn] = Turns(_IN_WORK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = body_length(scope["headers"]) if scope["type"] == "http" else 0
        if not length:
            await self._app(scope, receive, send)
            return
        most = self._sizes.get(scope["path"], self._size)
        if length > most:
            await refuse_early(receive, send, 413, f"a message has at most {most} bytes here")
            return
        loop = asyncio.get_running_loop()
        body = _Body(peer_group(client_of(scope)), loop.time() + self._limits.body_seconds)
        try:
            await self._serve(body, scope, receive, send)
        except TimeoutError:
            await refuse_early(receive, send, 408, "the body took too long")
        except _Evicted:
            message = "the server has no memory for this body now; try again"
            await refuse_early(receive, send, 503, message, _RETRY)
        finally:
            self._memory.release(body)

    async def _serve(self, body: _Body, scope: Scope, receive: Receive, send: Send) -> None:
        turn = _Turn()
        try:
            async with asyncio.timeout_at(body.deadline) as body.timer:
                complete = await self._read(body, receive, body.timer)
                weight = max(_LEAST, len(body.content))
                if complete:
                    await self._wait(turn, body, weight)
        except TimeoutError:
            if body.evicted:
                raise _Evicted from None
            raise
        if complete:
            await self._work(body, weight, scope, receive, send)

    async def _read(self, body: _Body, receive: Receive, timer: asyncio.Timeout) -> bool:
        """False: the client is gone."""
        loop = asyncio.get_running_loop()
        more = True
        while more:
            timer.reschedule(min(body.deadline, loop.time() + self._limits.body_pause_seconds))
            message = await receive()
            if message["type"] == _GONE:
                return False
            self._keep(body, message.get("body", b""))
            more = message.get("more_body", False)
        timer.reschedule(body.deadline)
        return True

    def _keep(self, body: _Body, piece: bytes) -> None:
        """Raises _Evicted if it is this client that holds most."""
        while (victim := self._memory.grow(body.client, body, len(piece))) is not None:
            if victim is body:
                raise _Evicted
            self._memory.release(victim)
            victim.evict()
        body.content += piece

    async def _wait(self, turn: _Turn, body: _Body, weight: int) -> None:
        self._turns.add(body.client, turn, weight)
        self._grant()
        try:
            await turn.granted.wait()
        except asyncio.CancelledError:
            if turn.granted.is_set():
                self._end(weight)
            else:
                self._turns.remove(body.client, turn)
            raise

    def _grant(self) -> None:
        while (turn := self._turns.start()) is not None:
            turn.granted.set()

    def _end(self, weight: int) -> None:
        self._turns.done(weight)
        self._grant()

    async def _work(self, body: _Body, weight: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the reply begins: a client that does not read it keeps no turn."""
        content: bytes | None = bytes(body.content)
        body.content = bytearray()
        working = True

        async def replay() -> Message:
            nonlocal content
            if content is None:
                return await receive()
            piece, content = content, None
            return {"type": "http.request", "body": piece, "more_body": False}

        def done() -> None:
            nonlocal working
            if working:
                working = False
                self._end(weight)
                self._memory.release(body)

        async def forward(message: Message) -> None:
            done()
            await send(message)

        try:
            await self._app(scope, replay, forward)
        finally:
            done()
