"""A factory server under the load of a whole line: events per second, waiting times, and what is lost over kills.

Each unit has a connection and an address of its own and delivers batches of its log. For each database there are three
loads on a fresh server: at a steady rate; at the same rate while the server is killed (SIGKILL) and started again; and
as fast as it can take them. Waiting is counted from the moment when a batch was due, not when it was sent, until it was
confirmed, which is after it was flushed to the disk. Load generator, server and PostgreSQL share the processors.

    python -m benchmarks.server_load [--units 500] [--rate 10000] [--seconds 30] [--kills 8] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load.server import ServerProcess
from benchmarks.load.store import Kept, kept
from benchmarks.load.units import Load, Results, run
from tests.integ.server.postgresql import running_cluster

_BATCH = 50
_HEAD = "database    load       events/s   p50 s   p99 s  longest   resent  lost  doubled  changed  CPU of server"


async def measure(folder: Path, database_url: str, load: Load, kills: int) -> tuple[Results, Kept, float]:
    """Also seconds of processor time of the server; 0 if it was killed."""
    server = ServerProcess(folder, database_url)
    await server.start()
    try:
        pause = load.interval * load.batches / (kills + 1)
        killer = asyncio.create_task(server.killed(kills, pause))
        before = server.cpu_seconds()
        results = await run(load, server.port)
        await killer
        used = 0.0 if kills else server.cpu_seconds() - before
    finally:
        await server.end()
    return results, kept(folder, database_url, load), used


def row(database: str, name: str, results: Results, found: Kept, used: float) -> str:
    rate = results.confirmed / results.seconds
    waits = f"{results.percentile(0.5):7.3f} {results.percentile(0.99):7.3f} {max(results.latencies):8.3f}"
    counts = f"{results.resent:8d} {found.lost:5d} {found.doubled:8d} {found.changed:8d}"
    share = f"{used / results.seconds:.0%}" if used else "-"
    return f"{database:11s} {name:10s} {rate:8.0f} {waits} {counts} {share:>14s}"


@contextmanager
def _urls(database: str) -> Iterator[Iterator[str]]:
    """URLs of new databases."""
    if database == "SQLite":
        yield iter(lambda: "", None)
    else:
        with running_cluster(durable=True) as cluster:
            yield iter(cluster.new_database, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=500, help="that report at once")
    parser.add_argument("--rate", type=float, default=10_000, help="events per second, all units together")
    parser.add_argument("--seconds", type=float, default=30, help="of each row")
    parser.add_argument("--kills", type=int, default=8, help="SIGKILLs of the server, in the rows with kills")
    parser.add_argument("--folder", help="on the file system that is to be measured")
    parser.add_argument(
        "--database", choices=["SQLite", "PostgreSQL"], action="append", help="only this one (default: both)"
    )
    given = parser.parse_args()
    interval = given.units * _BATCH / given.rate
    batches = max(1, round(given.seconds / interval))
    steady = Load(units=given.units, batches=batches, batch=_BATCH, interval=interval)
    flat_out = Load(units=given.units, batches=batches, batch=_BATCH, interval=0)
    loads = [("steady", steady, 0), ("killed", steady, given.kills), ("flat out", flat_out, 0)]
    print(f"{given.units} units, {given.rate:.0f} events/s for {given.seconds:.0f} s; {given.kills} kills")
    print(_HEAD)
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        for database in given.database or ("SQLite", "PostgreSQL"):
            with _urls(database) as urls:
                for number, (name, load, kills) in enumerate(loads):
                    folder = Path(temporary) / f"{database}{number}"
                    print(row(database, name, *asyncio.run(measure(folder, next(urls), load, kills))), flush=True)


if __name__ == "__main__":
    main()
