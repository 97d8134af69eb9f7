"""Batches of several units in one transaction leave what they leave one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from gprov.apps.server.store.backends import StoreUnavailable
from gprov.apps.server.store.bulk import add_rows
from gprov.apps.server.store.tables import events
from gprov.apps.server.store.unit_logs import Appended, UnitLogs
from gprov.domain.errors import DeviceFault
from gprov.domain.events import Event, LogLine, ProcessState, StateChange
from gprov.domain.factory.requests import EventBatch
from tests.integ.server.postgresql import Cluster
from tests.integ.server.test_same_on_both import EVENTS
from tests.integ.server.test_server_store import Server, Unit

MOST = 200_000  # bytes of a log
BATCHES = st.lists(st.tuples(st.sampled_from(["p", "q", "r"]), st.integers(1, 2), EVENTS), min_size=1, max_size=8)
EXAMPLES = count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgresql: Cluster
) -> Iterator[Server]:
    url = postgresql.new_database() if request.param == "postgresql" else ""
    with closing(Server(tmp_path_factory.mktemp("logs"), database_url=url)) as opened:
        yield opened


def append(server: Server, *batches: EventBatch) -> list[Appended]:
    """In one transaction."""
    with server.database.write() as db:
        return UnitLogs(lambda: server.now_ns, MOST, strict=True).append(db, batches)


def kept(server: Server, serial: str) -> object:
    queries = server.services.queries
    found, detail = queries.events(serial, 0, 1000), queries.unit(serial)
    assert found is not None
    assert detail is not None
    return [
        [(each.session, each.number, each.type, each.text, each.time_ns) for each in found],
        (detail.summary.state, detail.states, detail.documents),
    ]


@given(BATCHES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_together_or_one_by_one(server: Server, batches: list[tuple[str, int, list[Event]]]) -> None:
    example = next(EXAMPLES)

    def of(way: str) -> list[EventBatch]:
        return [
            EventBatch(Unit(server, f"{example} {way} {name}", boot).sender, tuple(some))
            for name, boot, some in batches
        ]

    alone = [append(server, batch)[0] for batch in of("alone")]
    assert append(server, *of("together")) == alone
    for name in {name for name, _, _ in batches}:
        assert kept(server, f"{example} together {name}") == kept(server, f"{example} alone {name}")


def test_more_than_one_statement_adds(server: Server) -> None:
    """The log is cut between them; nothing of the newest events is lost."""
    batches = [
        EventBatch(
            Unit(server, "many").sender,
            tuple(Event(number, number, LogLine("line")) for number in range(first, first + 900)),
        )
        for first in range(1, 9001, 900)
    ]
    assert [each.count for each in append(server, *batches)] == [900] * 10
    assert [each.count for each in append(server, *batches[-1:])] == [0]
    queries = server.services.queries
    oldest, newest = queries.events("many", 0, 1), queries.events("many", 8500, 1000)
    assert oldest is not None
    assert newest is not None
    assert 7000 < oldest[0].seq < 8500
    assert [each.number for each in newest] == list(range(8501, 9001))


def test_a_note_about_a_state_follows_its_event(server: Server) -> None:
    """Not those that share its transaction."""
    one, other = Unit(server, "noted"), Unit(server, "other")
    state = EventBatch(
        one.sender, (Event(1, 1, LogLine("before")), Event(2, 2, StateChange(ProcessState.MFG_SUCCEEDED)))
    )
    append(server, state, EventBatch(other.sender, (Event(1, 1, LogLine("beside")),)))
    found = server.services.queries.events("noted", 0, 1000)
    assert found is not None
    assert [each.type for each in found] == ["LOG", "STATE", "SERVER"]


def test_what_the_database_refuses_is_undone(server: Server) -> None:
    """Also of a statement that SQLAlchemy has not made."""
    unit = Unit(server, "refused")
    append(server, EventBatch(unit.sender, (Event(1, 1, LogLine("first")),)))
    with server.database.read() as db:
        newest = select(events).where(events.c.number == 1).order_by(events.c.unit.desc()).limit(1)
        row = dict(db.execute(newest).mappings().one())
    with pytest.raises(DeviceFault), server.database.write() as db:
        add_rows(db, events, [{**row, "seq": 100, "number": 2}, row])
    found = server.services.queries.events("refused", 0, 1000)
    assert found is not None
    assert [each.number for each in found] == [1]


def test_a_connection_that_ends_meanwhile_is_replaced(tmp_path: Path, postgresql: Cluster) -> None:
    with closing(Server(tmp_path, database_url=postgresql.new_database())) as server:
        batch = EventBatch(Unit(server, "1").sender, (Event(1, 1, LogLine("line")),))
        with pytest.raises(StoreUnavailable):
            write_after_the_end(server)
        assert [each.count for each in append(server, batch)] == [1]


def write_after_the_end(server: Server) -> None:
    with server.database.write() as db:
        process = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with server.database.session() as other:
            assert other.execute(
                text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process}
            ).scalar_one()
        add_rows(db, events, [])


FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk()
"""


def test_a_database_without_room_is_unavailable_to_all(tmp_path: Path, postgresql: Cluster) -> None:
    """So that the requests of a group are not tried one by one."""
    with closing(Server(tmp_path, database_url=postgresql.new_database())) as server:
        batch = EventBatch(Unit(server, "1").sender, (Event(1, 1, LogLine("line")),))
        with server.database.write() as db:
            db.execute(text(FULL_DISK))
        with pytest.raises(StoreUnavailable, match="no space left on device"):
            append(server, batch)
        with server.database.write() as db:
            db.execute(text("DROP TRIGGER full_disk ON events"))
        assert [each.count for each in append(server, batch)] == [1]
