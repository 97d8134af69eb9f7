"""Simulated units: each has an address and a connection of its own, and delivers its log in batches, again and again
until the server confirms them, as a real one does."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field

import httptools

PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts; real units begin with 0.5 and end with 15
REPLY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """``interval``: seconds from one batch of a unit to its next one; 0: as soon as the one before is confirmed."""

    units: int
    batches: int
    batch: int
    interval: float


@dataclass
class Results:
    """Seconds from the time when a batch was due until it was confirmed, in the order of their confirmations."""

    latencies: list[float] = field(default_factory=list)
    confirmed: int = 0  # events
    resent: int = 0  # batches
    refused: dict[int, int] = field(default_factory=dict)  # by status
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def serial(unit: int) -> str:
    return f"LOAD{unit:05d}"


def session(unit: int) -> str:
    return f"{unit + 1:032x}"


def text(unit: int, number: int) -> str:
    return f"line {number} of unit {unit}: as long as a line of a log commonly is, or a bit longer"


def body(unit: int, first: int, count: int) -> bytes:
    """Numbers begin with 1."""
    events = [
        {"number": number, "time_ns": 1_750_000_000_000_000_000 + number, "type": "LOG", "text": text(unit, number)}
        for number in range(first, first + count)
    ]
    message = {"serial": serial(unit), "session": session(unit), "events": events}
    return json.dumps(message, separators=(",", ":")).encode()


async def run(load: Load, port: int) -> Results:
    """All units until all their events are confirmed."""
    results = Results()
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for unit in range(load.units):
            group.create_task(_live(load, unit, port, results, begin))
    results.seconds = time.perf_counter() - begin
    return results


async def _live(load: Load, unit: int, port: int, results: Results, begin: float) -> None:
    connection = _Connection(unit, port)
    offset = load.interval * unit / load.units  # not all at the same moment
    for index in range(load.batches):
        due = begin + offset + load.interval * index if load.interval else time.perf_counter()
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await _deliver(connection, body(unit, index * load.batch + 1, load.batch), results)
        results.latencies.append(time.perf_counter() - due)
        results.confirmed += load.batch
    connection.close()


async def _deliver(connection: _Connection, content: bytes, results: Results) -> None:
    pause = PAUSE
    while (status := await connection.post(content)) != 200:
        if status == 422:
            raise AssertionError("the server finds fault with a message")
        results.resent += 1
        results.refused[status] = results.refused.get(status, 0) + 1
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


class _Connection:
    """Kept open between requests."""

    def __init__(self, unit: int, port: int) -> None:
        self._address = (f"127.{1 + unit // 62500}.{unit // 250 % 250}.{1 + unit % 250}", 0)
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, content: bytes) -> int:
        """Status of the reply; 0 if there was none."""
        try:
            return await asyncio.wait_for(self._post(content), REPLY_SECONDS)
        except (OSError, EOFError, TimeoutError, httptools.HttpParserError):
            self.close()
            return 0

    async def _post(self, content: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, local_addr=self._address)
        reader, writer = self._streams
        head = f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        reply = _Reply()
        parser = httptools.HttpResponseParser(reply)
        while not reply.complete:
            received = await reader.read(65536)
            if not received:
                raise EOFError
            parser.feed_data(received)
        status: int = parser.get_status_code()
        if not parser.should_keep_alive():
            self.close()
        return status

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


class _Reply:
    complete = False

    def on_message_complete(self) -> None:
        self.complete = True
