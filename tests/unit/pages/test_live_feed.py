"""The feed of live updates: who is told what, and that nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gprov.apps.server.pages.live import LiveFeed
from gprov.domain.errors import DeviceFault, RefusedByPolicy

LONG = 20.0
Scenario = Callable[["Versions", LiveFeed], Awaitable[None]]


class Versions:
    """The store, as the feed asks it."""

    def __init__(self) -> None:
        self.now = {"": "1", "SN-1": "a"}
        self.failing = False

    def of(self, topic: str) -> str:
        if self.failing:
            raise DeviceFault("the store", "is locked")
        return self.now[topic]


async def following(stream: AsyncIterator[str]) -> str:
    return await anext(stream)


async def collected(stream: AsyncIterator[str]) -> list[str]:
    return [version async for version in stream]


def play(scenario: Scenario, most: int = 10, tick_seconds: float = LONG) -> None:
    async def run() -> None:
        versions = Versions()
        feed = LiveFeed(versions.of, most, poll_seconds=0.001, tick_seconds=tick_seconds)
        async with asyncio.timeout(LONG):
            await scenario(versions, feed)

    asyncio.run(run())


def test_a_page_that_is_up_to_date_hears_of_the_next_change_only() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        stream = feed.changes("", "1", LONG)
        waiting = asyncio.create_task(following(stream))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        versions.now[""] = "2"
        assert await waiting == "2"
        await stream.aclose()

    play(scenario)


def test_a_page_that_missed_a_change_hears_of_it_at_once() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        stream = feed.changes("SN-1", "before the restart", LONG)
        assert await anext(stream) == "a"
        await stream.aclose()

    play(scenario)


def test_topics_are_told_apart() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        unit, line = feed.changes("SN-1", "a", LONG), feed.changes("", "1", LONG)
        of_unit, of_line = asyncio.create_task(following(unit)), asyncio.create_task(following(line))
        versions.now[""] = "2"
        assert await of_line == "2"
        assert not of_unit.done()
        versions.now["SN-1"] = "b"
        assert await of_unit == "b"
        await unit.aclose()
        await line.aclose()

    play(scenario)


def test_time_alone_is_told_too() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        stream = feed.changes("", "1", LONG)
        assert [await anext(stream), await anext(stream)] == ["1", "1"]
        await stream.aclose()

    play(scenario, tick_seconds=0.01)


def test_a_stream_ends_after_its_time() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        assert {version async for version in feed.changes("", "1", 0.05)} == {"1"}
        assert feed.count == 0

    play(scenario, tick_seconds=0.01)


def test_there_are_no_more_than_the_limit_and_ended_ones_make_room() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        streams = [feed.changes("", "0", LONG) for _ in range(2)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(RefusedByPolicy, match="2 pages are kept up to date"):
            feed.require_room()
        assert [version async for version in feed.changes("", "0", LONG)] == []
        await streams[0].aclose()
        feed.require_room()
        await streams[1].aclose()
        assert feed.count == 0

    play(scenario, most=2)


def test_the_end_of_the_server_ends_streams() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        waiting = asyncio.create_task(collected(feed.changes("", "1", LONG)))
        await asyncio.sleep(0)
        feed.close()
        assert await waiting == []

    play(scenario)


def test_a_store_that_fails_for_a_while_ends_nothing() -> None:
    async def scenario(versions: Versions, feed: LiveFeed) -> None:
        versions.failing = True
        stream = feed.changes("", "0", LONG)
        waiting = asyncio.create_task(following(stream))
        await asyncio.sleep(0.02)
        versions.failing = False
        assert await waiting == "1"
        await stream.aclose()

    play(scenario)
