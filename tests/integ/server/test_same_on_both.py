"""SQLite and PostgreSQL answer the same to any sequence of reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.domain.errors import GprovError
from gprov.domain.events import Event, LogLine, ProcessState, StateChange
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.requests import CodeNameReport, MacReport, NamedMac
from tests.integ.server.postgresql import Cluster
from tests.integ.server.test_server_store import OPERATOR, Server, Unit

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10)
NUMBERS = st.integers(1, 12)
STATES = st.sampled_from(ProcessState)
EVENTS = st.lists(
    st.one_of(
        st.builds(lambda number, text: Event(number, number, LogLine(text)), NUMBERS, TEXTS),
        st.builds(
            lambda number, state: Event(number, 2**62, StateChange(state)), NUMBERS, st.sampled_from(ProcessState)
        ),
    ),
    max_size=5,
)
ACTIONS = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(ProcessState)),
    st.tuples(st.just("log"), EVENTS),
    st.tuples(st.just("document"), TEXTS, st.sampled_from(["a", "b"]), st.sampled_from([*DocumentKind])),
    st.tuples(st.just("macs"), st.integers(0, 2)),
    st.tuples(st.just("code_name"), st.sampled_from(["X7", "Y"])),
    st.tuples(st.just("credentials")),
    st.tuples(st.just("rotate"), st.sampled_from(PasswordKind)),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("later"), st.integers(1, 30)),
)
STEPS = st.lists(st.tuples(st.sampled_from(["p", "q"]), st.integers(1, 2), ACTIONS), max_size=12)
EXAMPLES = count()
NICS, BMC = (NamedMac("eth0", "56:78:90:00:00:02"),), ("56:78:90:00:00:03", "56:78:90:00:00:04")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, postgresql: Cluster) -> Iterator[tuple[Server, Server]]:
    folder: Path = tmp_path_factory.mktemp("both")
    with (
        closing(Server(folder / "sqlite")) as one,
        closing(Server(folder / "postgresql", database_url=postgresql.new_database())) as other,
    ):
        yield one, other


def act(server: Server, unit: Unit, action: tuple[Any, ...]) -> object:
    """What the report is answered with."""
    store, name, values = server.services.store, action[0], action[1:]
    actions: dict[str, Callable[..., object]] = {
        "state": unit.state,
        "log": lambda events: unit.log(*events),
        "document": unit.document,
        "macs": lambda number: store.macs(MacReport(unit.sender, NICS[:number], BMC[:number])),
        "code_name": lambda text: store.code_name(CodeNameReport(unit.sender, text)),
        "credentials": lambda: bool(unit.credentials()),
        "rotate": lambda kind: server.admin.rotate(unit.serial, [kind], OPERATOR),
        "reopen": lambda: server.admin.reopen(unit.serial, OPERATOR),
        "later": server.later,
    }
    try:
        return actions[name](*values)
    except GprovError as error:
        return type(error), str(error)


def everything(server: Server, serials: list[str]) -> list[object]:
    queries = server.services.queries
    listed = [unit for unit in queries.units(1000, 0) if unit.serial in serials]
    macs = [queries.sealed_unit([], "56:78:90:00:00:02", server.now_ns)]
    return [listed, macs, [(queries.unit(serial), queries.events(serial, 0, 1000)) for serial in serials]]


@given(STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_sequence(servers: tuple[Server, Server], steps: list[tuple[str, int, tuple[Any, ...]]]) -> None:
    example = next(EXAMPLES)
    serials = [f"{example} {name}" for name in ("p", "q")]
    for name, boot, action in steps:
        answers = [act(server, Unit(server, f"{example} {name}", boot), action) for server in servers]
        assert answers[0] == answers[1]
    for server in servers:
        server.services.store.sweep()
    one, other = (everything(server, serials) for server in servers)
    assert one == other
