"""Pages out of both databases, and out of a large store."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gprov.domain.events import LogLine
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.store import StoreSettings
from tests.integ.pages.stage import (
    DAY,
    GENEROUS,
    HOUR,
    MINUTE,
    NOW,
    OPEN,
    PageServer,
    UnitOnLine,
    a_day_on_the_line,
    running,
)
from tests.integ.pages.test_views import FILTERS, get
from tests.integ.server.postgresql import running_cluster

ADDRESSES = [
    *(f"/recent/?{urlencode(asked)}" for asked, _ in FILTERS),
    "/view/GP2611-04207/",
    "/view/GP2611-04181/?type=people&text=RESTORE",
    "/view/GP2611-04181/?before=5",
    "/view/GP2611-04181/?after=3&session=1",
    "/unit-state/GP2611-04210?format=json",
    "/line/",
    "/figures/?span=24h",
    "/figures/?span=7d",
    "/units.csv",
    "/units.json?state=attention",
]
# Numbers of rows, which databases choose.
_ROWS = re.compile(r'data-key="\d+"|number=\d+|data-live-version="[^"]*"')


def test_both_databases_give_the_same_pages(line: PageServer, tmp_path: Path) -> None:
    with running_cluster() as cluster:
        settings = ServerSettings(access=OPEN, limits=GENEROUS, store=StoreSettings(database=cluster.new_database()))
        with running(tmp_path / "data", settings) as other:
            a_day_on_the_line(other, done=3, days=2)
            for address in ADDRESSES:
                (status, page), (status_of_other, page_of_other) = get(line, address), get(other, address)
                assert status == status_of_other == 200, address
                assert _ROWS.sub("", page_of_other) == _ROWS.sub("", page), address


UNITS, EVENTS_OF_EACH = 100_000, 100


@pytest.mark.nightly
def test_pages_of_a_large_store_are_quick(tmp_path: Path) -> None:
    """100,000 units of two years and 10 million events. A page that reads all of one of them would take seconds."""
    with running(tmp_path) as server:
        UnitOnLine(server, "first").report(LogLine("x"))
    with closing(sqlite3.connect(tmp_path / "store" / "factory.sqlite")) as db:
        db.execute("PRAGMA synchronous = OFF")
        _fill(db)
        db.commit()
    addresses = [
        *(f"/recent/?{urlencode(asked)}" for asked, _ in FILTERS),
        "/recent/?q=00012345",
        "/recent/?since=2024-12-20&until=2024-12-22",
        f"/recent/?after={NOW - 300 * DAY}-50000",
        "/view/GP00050000/",
        "/view/GP00050000/?text=nothing",
        "/unit-state/GP00050000",
        "/line/",
        "/figures/?span=24h",
        "/figures/?span=30d",
    ]
    with running(tmp_path) as server:
        took = {address: min(_seconds(server, address) for _ in range(3)) for address in addresses}
    slow = {address: seconds for address, seconds in took.items() if seconds > 1.0}
    assert slow == {}, took


def _seconds(server: PageServer, address: str) -> float:
    began = time.perf_counter()
    assert get(server, address)[0] == 200
    return time.perf_counter() - began


def _fill(db: sqlite3.Connection) -> None:
    """One of 25 units failed, the last 20 are at work."""
    db.executemany(
        "INSERT INTO units (id, serial, code_name, state, state_session, state_ns, provisioning, last_seq,"
        " first_seen_ns, last_seen_ns) VALUES (?, ?, ?, ?, ?, ?, 'MFG_SUCCEEDED', ?, ?, ?)",
        (
            (unit, f"GP{unit:08}", f"GP-{unit % 7}00", _state(unit), 2 * unit, at, EVENTS_OF_EACH, at - HOUR, at)
            for unit, at in _units()
        ),
    )
    db.executemany(
        "INSERT INTO macs (unit, bmc, position, name, mac) VALUES (?, ?, ?, '', ?)",
        (
            (unit, bmc, place, f"56:78:90:{unit >> 16:02x}:{unit >> 8 & 255:02x}:{unit & 255:02x}")
            for unit, _ in _units()
            for bmc in (0, 1)
            for place in range(2)
        ),
    )
    db.executemany(
        "INSERT INTO sessions (id, unit, key, number) VALUES (?, ?, ?, ?)",
        ((2 * unit + run, unit, f"{unit}-{run}", run + 1) for unit, _ in _units() for run in (0, 1)),
    )
    db.executemany(
        "INSERT INTO states (unit, session, state, received_ns, verdict) VALUES (?, ?, ?, ?, 'applied')", _states()
    )
    db.executemany("INSERT INTO events (unit, seq, session, number, time_ns, received_ns, type, body)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _events())  # fmt: skip


def _units() -> Iterator[tuple[int, int]]:
    """Row, and time of the last report."""
    return ((unit, NOW - 730 * DAY * (UNITS + 1 - unit) // UNITS) for unit in range(2, UNITS + 2))


def _state(unit: int) -> str:
    if unit > UNITS - 20:
        return "MFG_STARTED"
    return {0: "MFG_FAILED", 1: "FR_FAILED", 2: "MFG_SUCCEEDED"}.get(unit % 50, "FR_SUCCEEDED")


def _states() -> Iterator[tuple[int, int, str, int]]:
    for unit, at in _units():
        yield unit, 2 * unit, "MFG_STARTED", at - 30 * MINUTE
        if unit % 50:
            yield unit, 2 * unit, "MFG_SUCCEEDED", at - 15 * MINUTE
            yield unit, 2 * unit + 1, "FR_STARTED", at - 10 * MINUTE
        yield unit, 2 * unit + bool(unit % 50), _state(unit), at


def _events() -> Iterator[tuple[int, int, int, int, int, int, str, str]]:
    line, error = json.dumps({"text": "x" * 60}), json.dumps({"text": "burn-in failed: memory errors"})
    for unit, at in _units():
        for seq in range(1, EVENTS_OF_EACH + 1):
            failed = unit % 50 < 2 and seq == EVENTS_OF_EACH - 1
            yield unit, seq, 2 * unit, seq, at, at, "ERROR" if failed else "LOG", error if failed else line
