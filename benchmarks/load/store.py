"""What a store holds after a load, read by the drivers of the databases."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.load.units import Load, serial, text

_EVENTS = "SELECT serial, events.number, body FROM events JOIN units ON units.id = unit WHERE session IS NOT NULL"


@dataclass(frozen=True)
class Kept:
    """Events: of those that were confirmed, how many are missing; of all that are there, how many are there again, and
    how many are not as they were sent."""

    lost: int
    doubled: int
    changed: int


def kept(folder: Path, database_url: str, load: Load) -> Kept:
    if database_url:
        with psycopg.connect(database_url) as db:
            return _compare(db.execute(_EVENTS), load)
    path = folder / "store" / "factory.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as other:
        return _compare(other.execute(_EVENTS), load)


def _compare(rows: Iterable[tuple[str, int, str]], load: Load) -> Kept:
    sent = {
        (serial(unit), number): text(unit, number)
        for unit in range(load.units)
        for number in range(1, load.batches * load.batch + 1)
    }
    found = Counter[tuple[str, int]]()
    changed = 0
    for name, number, body in rows:
        found[name, number] += 1
        changed += f'"{sent.get((name, number))}"' not in body
    return Kept(lost=sum(key not in found for key in sent), doubled=found.total() - len(found), changed=changed)
