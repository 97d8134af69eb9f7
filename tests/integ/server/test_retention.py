"""Events and documents of old units, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from gprov.apps.server.store.retention import ROWS, Retention
from gprov.apps.server.store.tables import units
from gprov.apps.server.store.unit_rows import add_concern
from gprov.apps.server.web.sweeping import PrivateFolders, Sweeper
from gprov.domain.events import Event, LogLine
from gprov.domain.events import ProcessState as S
from gprov.domain.factory.audit import Actor
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.requests import ErasureRegistration
from tests.integ.server.test_erase_certificates import report
from tests.integ.server.test_server_store import Server, Unit, provision

DAY = 24 * 60  # minutes
KEEP_NS = 30 * DAY * 60 * 10**9


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    with closing(Server(tmp_path, database_url=database_url)) as opened:
        yield opened


def left(server: Server, serial: str) -> tuple[int, list[str]]:
    """Events, and names of documents."""
    events, detail = server.services.queries.events(serial, 0, 10_000), server.services.queries.unit(serial)
    assert events is not None
    assert detail is not None
    return len(events), [document.name for document in detail.documents]


def test_old_ones_go_in_small_steps_and_all_else_stays(server: Server) -> None:
    retention = Retention(server.database, lambda: server.now_ns, KEEP_NS)
    old = Unit(server, "old")
    provision(old)
    Unit(server, "old", boot=2).state(S.FR_SUCCEEDED)
    server.services.released.write_due()
    old.document("{}", "hardware.json", DocumentKind.HARDWARE)
    old.log(*(Event(number, 1, LogLine("x")) for number in range(1, 2 * ROWS + 2)))
    server.container.erasures().register(ErasureRegistration(old.sender, report("old").decode()))
    waits = Unit(server, "waits")  # its document could not be written yet
    provision(waits)
    Unit(server, "waits", boot=2).state(S.FR_SUCCEEDED)
    before = left(server, "old")[0]
    assert not retention.step()
    server.later(31 * DAY)
    new = Unit(server, "new")
    new.log(Event(1, 1, LogLine("x")))
    assert retention.step()
    assert before - ROWS == left(server, "old")[0]
    while retention.step():
        pass
    assert left(server, "old") == (0, [])
    assert left(server, "waits") == (0, ["qa.json"])
    assert left(server, "new") == (1, [])
    detail = server.services.queries.unit("old")
    assert detail is not None
    assert detail.credentials.sealed
    assert [entry.state for entry in detail.states][-1] is S.FR_SUCCEEDED
    assert len(server.container.erasures().of_unit("old")) == 1
    assert (server.folder / "documents" / "old~qa.json").read_text() == "all is well"
    with server.database.read() as db:
        assert server.trail.problems(db) == ()


def test_a_document_that_waits_for_a_person_stays_with_its_log(server: Server) -> None:
    retention = Retention(server.database, lambda: server.now_ns, KEEP_NS)
    held, waits = Unit(server, "held"), Unit(server, "waits")
    for unit in (held, waits):
        provision(unit)
    with server.database.write() as db:
        number = db.execute(select(units.c.id).where(units.c.serial == "waits")).scalar_one()
        add_concern(db, number, "a test")
    Unit(server, "waits", boot=2).state(S.FR_SUCCEEDED)
    before = left(server, "waits")
    assert server.document("waits")[0] is DocumentStatus.WAITING
    server.later(31 * DAY)
    while retention.step():
        pass
    assert left(server, "waits") == before
    assert left(server, "held")[1] == ["qa.json"], "the sweep discards it first, and says so in the log"
    server.admin.decide_document("waits", "qa.json", Actor("a person", "a test"), release=True)
    server.services.released.write_due()
    server.services.store.sweep()
    server.later(31 * DAY)
    while retention.step():
        pass
    assert left(server, "waits") == left(server, "held") == (0, [])


def test_a_unit_that_comes_back_begins_anew(server: Server) -> None:
    retention = Retention(server.database, lambda: server.now_ns, KEEP_NS)
    unit = Unit(server, "1")
    unit.log(Event(1, 1, LogLine("x")))
    for _ in range(2):
        server.later(31 * DAY)
        while retention.step():
            pass
        assert left(server, "1")[0] == 0
        assert unit.log(Event(2, 1, LogLine("y"))) == 1
        assert not retention.step()


def test_for_ever(server: Server) -> None:
    Unit(server, "1").log(Event(1, 1, LogLine("x")))
    server.later(100_000 * DAY)
    assert not Retention(server.database, lambda: server.now_ns, 0).step()
    assert left(server, "1")[0] == 1


def test_a_work_that_fails_keeps_the_sweeper_from_no_other(server: Server, tmp_path: Path) -> None:
    retention = Retention(server.database, lambda: server.now_ns, KEEP_NS)
    Unit(server, "old").log(Event(1, 1, LogLine("x")))
    server.later(31 * DAY)
    missing = str(tmp_path / "missing")  # its mode cannot be read
    sweeper = Sweeper(server.services, server.container.erasures(), retention, PrivateFolders(missing, missing))

    async def swept() -> None:
        deadline = monotonic() + 30
        async with sweeper.running(FastAPI()):
            while left(server, "old")[0]:
                assert monotonic() < deadline, "nothing is removed"
                await asyncio.sleep(0.01)

    asyncio.run(swept())
