"""Bodies of requests: received before a request is worked on, with bounds for size, time and memory of all of them.

The work itself is in turns between clients: a body of 2 MiB may become 50 MB of objects while it is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gprov.apps.server.web.limits.replies import client_of, is_gone, refuse_early
from gprov.domain.factory.limits.holdings import Holdings
from gprov.domain.factory.limits.hosts import body_length
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.turns import Turns
from gprov.domain.factory.settings.limits import Limits

# Bodies of at most ``_SMALL`` bytes do not wait for larger ones, which may take a second each.
_SMALL = 64 << 10
# What is worked on at once: bytes of larger bodies, number of small ones, and of requests without a body. Together not
# more than there are threads for them.
_LARGE_IN_WORK, _SMALL_IN_WORK, _BARE_IN_WORK = 2 << 20, 20, 16
# Requests of one client that may wait for their turn.
_WAITING = 200
_RETRY = {"Retry-After": "5"}
_GONE = "http.disconnect"


class _Evicted(Exception):
    """The body has to give its memory back."""


class _Body:
    """A body on its way. ``deadline``: of the loop's clock, for all of it."""

    def __init__(self, client: str, deadline: float) -> None:
        self.client = client
        self.deadline = deadline
        self.pieces: list[bytes] = []  # of one size: a growing array would leave gaps in the memory of the process
        self.evicted = False
        self.timer: asyncio.Timeout | None = None

    def taken(self) -> bytes:
        content = b"".join(self.pieces)
        self.pieces.clear()
        return content

    def evict(self) -> None:
        self.evicted = True
        self.pieces.clear()
        if self.timer is not None and not self.timer.expired():
            self.timer.reschedule(0.0)


class _Turn:
    """A place among the requests that are worked on."""

    def __init__(self, turns: Turns[asyncio.Event], weight: int) -> None:
        self._turns = turns
        self._weight = weight
        self._granted = asyncio.Event()

    async def wait(self, client: str) -> None:
        self._turns.add(client, self._granted, self._weight)
        self._grant()
        try:
            await self._granted.wait()
        except asyncio.CancelledError:
            self._turns.remove(client, self._granted)
            self.end()
            raise

    def end(self) -> None:
        """Harmless to repeat, and before it was granted."""
        if self._granted.is_set() and self._weight:
            self._turns.done(self._weight)
            self._weight = 0
            self._grant()

    def _grant(self) -> None:
        while (granted := self._turns.start()) is not None:
            granted.set()


class BoundedBodies:
    """The application behind these bounds. ``sizes``: longest body by path; ``size``: of all other paths."""

    def __init__(self, app: ASGIApp, limits: Limits, sizes: Mapping[str, int], size: int) -> None:
        self._app = app
        self._limits = limits
        self._sizes = sizes
        self._size = size
        self._memory: Holdings[_Body] = Holdings(limits.body_memory)
        self._large: Turns[asyncio.Event] = Turns(_LARGE_IN_WORK)
        self._small: Turns[asyncio.Event] = Turns(_SMALL_IN_WORK)
        self._bare: Turns[asyncio.Event] = Turns(_BARE_IN_WORK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = body_length(scope["headers"])
        if not length:
            await self._without_body(scope, receive, send)
            return
        most = self._sizes.get(scope["path"], self._size)
        if length > most:
            await refuse_early(receive, send, 413, f"a message has at most {most} bytes here")
            return
        body = _Body(peer_group(client_of(scope)), asyncio.get_running_loop().time() + self._limits.body_seconds)
        try:
            turn = await self._receive(body, receive)
        except TimeoutError:
            await refuse_early(receive, send, 408, "the body took too long")
        except _Evicted:
            message = "the server has no memory for this body now; try again"
            await refuse_early(receive, send, 503, message, _RETRY)
        else:
            if turn is not None and is_gone(scope):
                turn.end()
            elif turn is not None:
                await self._work(body.taken(), turn, scope, receive, send)

    async def _without_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = peer_group(client_of(scope))
        if self._bare.waiting_of(client) >= _WAITING:
            await refuse_early(receive, send, 503, "too many requests of this address wait; try again", _RETRY)
            return
        turn = _Turn(self._bare, 1)
        await turn.wait(client)
        if is_gone(scope):
            turn.end()
        else:
            await self._work(None, turn, scope, receive, send)

    async def _receive(self, body: _Body, receive: Receive) -> _Turn | None:
        """Until all of it is there and it may be worked on; None: the client is gone. Raises TimeoutError, _Evicted."""
        try:
            async with asyncio.timeout_at(body.deadline) as body.timer:
                if not await self._read(body, receive, body.timer):
                    return None
                turn = self._turn(sum(map(len, body.pieces)))
                await turn.wait(body.client)
                return turn
        except (TimeoutError, _Evicted):
            body.pieces.clear()
            if body.evicted:
                raise _Evicted from None
            raise
        finally:
            self._memory.release(body)  # what is in work is bounded by turns

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
        body.pieces.append(piece)

    def _turn(self, size: int) -> _Turn:
        return _Turn(self._large, size) if size > _SMALL else _Turn(self._small, 1)

    async def _work(self, content: bytes | None, turn: _Turn, scope: Scope, receive: Receive, send: Send) -> None:
        """The turn ends when the reply begins: a client that does not read it keeps none."""
        pieces = [] if content is None else [content]

        async def replay() -> Message:
            return {"type": "http.request", "body": pieces.pop(), "more_body": False} if pieces else await receive()

        async def forward(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self._app(scope, replay, forward)
        finally:
            turn.end()
