"""Work of several requests in one transaction, and readers beside writers, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from gprov.apps.server.store.backends import StoreUnavailable
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.grouping import GroupedWrites
from gprov.apps.server.store.tables import units
from gprov.domain.errors import DeviceFault, RefusedByPolicy

SECONDS = 60.0
Work = Callable[[Connection], str]
Grouped = GroupedWrites[Work, str]


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    with closing(Database(str(tmp_path), database_url)) as opened:
        yield opened


@pytest.fixture
def grouped(database: Database) -> Iterator[Grouped]:
    with closing(Grouped(database, lambda db, works: [work(db) for work in works])) as writes:
        yield writes


def add(serial: str, db: Connection) -> str:
    db.execute(insert(units).values(serial=serial, state_ns=1, first_seen_ns=1, last_seen_ns=1))
    return serial


def count(database: Database) -> int:
    with database.read() as db:
        return db.execute(select(func.count()).select_from(units)).scalar_one()


class Gate:
    """Work that lasts until it is opened: what is submitted meanwhile becomes one group."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> str:
        self.entered.set()
        assert self.opened.wait(SECONDS)
        return "opened"


def group(grouped: Grouped, *works: Work) -> list[Future[str]]:
    """Submitted so that they share a transaction."""
    gate = Gate()
    grouped.submit(gate)
    assert gate.entered.wait(SECONDS)
    futures = [grouped.submit(work) for work in works]
    gate.opened.set()
    return futures


def test_a_group_shares_a_transaction(database: Database, grouped: Grouped) -> None:
    seen: list[int] = []

    def look(_: Connection) -> str:
        seen.append(count(database))
        return "seen"

    futures = group(grouped, lambda db: add("1", db), look, lambda db: add("2", db))
    assert [future.result(SECONDS) for future in futures] == ["1", "seen", "2"]
    assert seen == [0]  # as another connection saw it
    assert count(database) == 2


@pytest.mark.parametrize("error", [RefusedByPolicy("no"), KeyError("a defect"), "same serial"])
def test_what_fails_fails_alone(database: Database, grouped: Grouped, error: Exception | str) -> None:
    def fail(db: Connection) -> str:
        add("half", db)
        if isinstance(error, Exception):
            raise error
        return add("half", db)

    first, bad, last = group(grouped, lambda db: add("1", db), fail, lambda db: add("2", db))
    assert (first.result(SECONDS), last.result(SECONDS)) == ("1", "2")
    with pytest.raises(type(error) if isinstance(error, Exception) else DeviceFault):
        bad.result(SECONDS)
    assert count(database) == 2


def test_a_request_that_is_given_up_before_its_turn_is_not_done(database: Database, grouped: Grouped) -> None:
    gate = Gate()
    grouped.submit(gate)
    assert gate.entered.wait(SECONDS)
    given_up, other = grouped.submit(lambda db: add("1", db)), grouped.submit(lambda db: add("2", db))
    assert given_up.cancel()
    gate.opened.set()
    assert other.result(SECONDS) == "2"
    with pytest.raises(CancelledError):
        given_up.result()
    assert count(database) == 1


def test_a_group_that_is_given_up_does_no_work(database: Database) -> None:
    done: list[int] = []
    gate = Gate()

    def work(db: Connection, given: Sequence[Work]) -> list[str]:
        done.append(len(given))
        return [each(db) for each in given]

    with closing(Grouped(database, work)) as grouped:
        grouped.submit(gate)
        assert gate.entered.wait(SECONDS)
        assert grouped.submit(lambda db: add("1", db)).cancel()
        gate.opened.set()
    assert done == [1]


def test_no_request_waits_for_the_store_longer_than_the_first_one(database: Database, grouped: Grouped) -> None:
    tries: list[int] = []

    def locked(_: Connection) -> str:
        tries.append(1)
        raise StoreUnavailable("store", "database is locked")

    futures = group(grouped, locked, lambda db: add("1", db))
    for future in futures:
        with pytest.raises(StoreUnavailable):
            future.result(SECONDS)
    assert tries == [1]
    assert grouped.submit(lambda db: add("1", db)).result(SECONDS) == "1"


def test_many_threads(database: Database, grouped: Grouped) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: grouped.submit(lambda db: add(str(at), db)).result(SECONDS), range(200)))
    assert found == [str(at) for at in range(200)]
    assert count(database) == 200


def test_readers_and_a_writer_do_not_wait_for_each_other(database: Database) -> None:
    with database.write() as db:
        add("1", db)
    with database.read() as before:
        query = select(func.count()).select_from(units)
        assert before.execute(query).scalar_one() == 1
        with database.write() as db:
            add("2", db)
            assert count(database) == 1  # a reader, while a writer has not ended
        assert count(database) == 2
        assert before.execute(query).scalar_one() == 1  # its view stays as it was


def test_parameters_are_in_no_message(database: Database) -> None:
    def fail() -> None:
        with database.write() as db:
            db.execute(text("INSERT INTO units (serial) VALUES (:secret)"), {"secret": "s3cret"})

    with pytest.raises(DeviceFault) as caught:
        fail()
    assert isinstance(caught.value.__cause__, SQLAlchemyError)
    for shown in (str(caught.value), str(caught.value.__cause__)):
        assert "INSERT" in shown or "null" in shown.lower() or "NOT NULL" in shown
    assert "s3cret" not in str(caught.value)
