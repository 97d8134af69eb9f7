"""Live updates: browsers are told that something changed, and ask for their page again.

A topic is the serial number of a unit, or "" for all units. What is sent is the topic's version (``version`` of
``UnitQueries``), as identifier of an event: a browser whose connection ended states the last one that it got, and is
told at once if another one holds by now. So nothing is kept for a browser, and a restart of the server loses nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable

from gprov.domain.errors import DeviceFault, RefusedByPolicy

MAX_TOPIC = 64


class LiveFeed:
    """``version``: of a topic, out of the store. ``most``: connections at once. All methods but the constructor: on the
    event loop."""

    def __init__(
        self, version: Callable[[str], str], most: int, poll_seconds: float = 1.0, tick_seconds: float = 15.0
    ) -> None:
        self._version = version
        self._most = most
        self._poll_seconds = poll_seconds
        self._tick_seconds = tick_seconds
        self._topics: Counter[str] = Counter()
        self._versions: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def count(self) -> int:
        return self._topics.total()

    def require_room(self) -> None:
        """Raises RefusedByPolicy if as many pages are kept up to date as there may be."""
        if self.count >= self._most:
            raise RefusedByPolicy(f"{self._most} pages are kept up to date at this time, which is the limit")

    def close(self) -> None:
        """End all connections; browsers connect again, to the next server."""
        self._closed = True
        self._changed.set()

    async def changes(self, topic: str, known: str, seconds: float) -> AsyncGenerator[str, None]:
        """Versions that are not ``known``, for a while. Between them, after ``tick_seconds`` without a change, the same
        version again: words about a unit change with time alone. Nothing if there is no room."""
        if self.count >= self._most:
            return
        self._topics[topic] += 1
        try:
            self._watch()
            async for version in self._changes(topic, known, asyncio.get_running_loop().time() + seconds):
                yield version
        finally:
            self._topics[topic] -= 1
            if not self._topics[topic]:
                del self._topics[topic]
                self._versions.pop(topic, None)

    async def _changes(self, topic: str, known: str, until: float) -> AsyncGenerator[str, None]:
        loop = asyncio.get_running_loop()
        while not self._closed and loop.time() < until:
            changed, version = self._changed, self._versions.get(topic)
            if version is not None and version != known:
                known = version
                yield version
                continue
            try:
                await asyncio.wait_for(changed.wait(), self._tick_seconds)
            except TimeoutError:
                yield known

    def _watch(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while self._topics and not self._closed:
            news = False
            for topic in list(self._topics):
                version = await asyncio.to_thread(self._current, topic)
                if version is not None and topic in self._topics and self._versions.get(topic) != version:
                    self._versions[topic] = version
                    news = True
            if news:
                before, self._changed = self._changed, asyncio.Event()
                before.set()
            await asyncio.sleep(self._poll_seconds)

    def _current(self, topic: str) -> str | None:
        """None: the store cannot be read at this time; the next round tries again."""
        try:
            return self._version(topic)
        except DeviceFault:
            return None
