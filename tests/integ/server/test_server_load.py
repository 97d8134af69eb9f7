"""A small version of `benchmarks.server_load`: nothing is lost or doubled over kills, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.load.store import Kept
from benchmarks.load.units import Load
from benchmarks.server_load import measure

LOAD = Load(units=40, batches=6, batch=50, interval=0.5)


def test_nothing_is_lost_or_doubled_over_kills(tmp_path: Path, database_url: str) -> None:
    results, kept, _ = asyncio.run(measure(tmp_path / "data", database_url, LOAD, kills=2))
    assert kept == Kept(lost=0, doubled=0, changed=0)
    assert results.confirmed == LOAD.units * LOAD.batches * LOAD.batch
    assert results.resent > 0  # the kills were noticed
