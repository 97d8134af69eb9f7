"""Bounds of the store, on both databases: what is removed when there is too much, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.container import ServerContainer, server_container
from gprov.apps.server.store.rows import origin_of
from gprov.apps.server.store.tables import documents, erasures, events, sessions, units
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.events import Event, LogLine, ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.limits.refusals import NoRoom, TooMany
from gprov.domain.factory.requests import (
    CredentialRequest,
    Document,
    ErasureRegistration,
    EventBatch,
    MacReport,
    NamedMac,
    Request,
    Sender,
    StateReport,
)
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.limits import Limits
from gprov.domain.factory.settings.store import StoreSettings
from tests.integ.server.test_erase_certificates import report

MINUTE = 60 * 10**9
S = ProcessState
PEER = "10.1.0.9"
LIMITS = Limits(
    candidate_units=3,
    candidate_mebibytes=1,
    certificate_mebibytes=1,
    discarded_mebibytes=1,
    unit_log_mebibytes=1,
    new_units_per_minute=1000,
    new_sessions_per_minute=100_000,
    documents_per_minute=1000,
    all_new_sessions_per_minute=100_000,
)


class Server:
    def __init__(self, folder: Path, database_url: str) -> None:
        self.now_ns = 1_700_000_000 * 10**9
        settings = ServerSettings(store=StoreSettings(database=database_url), limits=LIMITS)
        self.container: ServerContainer = server_container(str(folder), FakeKeys(), settings)
        set_value(self.container.now, lambda: self.now_ns)
        self.database = self.container.database()
        self.store = self.container.store()
        self.admission: Admission = self.container.admission()

    def close(self) -> None:
        self.database.close()

    def send(self, request: Request) -> None:
        """As if it had come over HTTP."""
        self.admission.admit(request, PEER)
        match request:
            case StateReport():
                self.store.state(request)
            case EventBatch():
                self.store.events(request).result()
            case Document():
                self.store.document(request)
            case MacReport():
                self.store.macs(request)
            case ErasureRegistration():
                self.container.erasures().register(request)
            case CredentialRequest():
                self.container.credentials().hand_out(request, PEER)
            case _:
                raise AssertionError(request)

    def serials(self) -> set[str]:
        with self.database.read() as db:
            return set(db.execute(select(units.c.serial)).scalars())


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    with closing(Server(tmp_path, database_url)) as opened:
        yield opened


def sender(serial: str, run: int = 1) -> Sender:
    return Sender(serial, f"{run:032x}")


def lines(first: int, count: int, text: str = "x") -> tuple[Event, ...]:
    return tuple(Event(number, 1, LogLine(text)) for number in range(first, first + count))


def test_candidates_that_are_silent_give_way(server: Server) -> None:
    """With all that they sent. A unit that got passwords, and one that was provisioned, stay for ever."""
    server.send(StateReport(sender("served"), S.MFG_STARTED))
    server.send(CredentialRequest(sender("served")))
    for state in (S.MFG_STARTED, S.MFG_SUCCEEDED):
        server.send(StateReport(sender("sealed"), state))
    server.now_ns += 90 * MINUTE
    for serial in ("a", "b", "c"):
        server.send(StateReport(sender(serial), S.MFG_STARTED))
        server.send(EventBatch(sender(serial), lines(1, 5)))
        server.send(MacReport(sender(serial), (NamedMac("eth0", "56:78:90:00:00:01"),), ()))
        server.send(Document(sender(serial), "x.json", "{}", DocumentKind.HARDWARE))
    with pytest.raises(NoRoom, match="never provisioned"):
        server.send(StateReport(sender("d"), S.MFG_STARTED))
    server.now_ns += 50 * MINUTE
    server.send(StateReport(sender("b"), S.MFG_FAILED))
    server.now_ns += 20 * MINUTE
    server.send(StateReport(sender("d"), S.MFG_STARTED))
    assert server.serials() == {"served", "sealed", "b", "d"}
    server.now_ns += 1000 * MINUTE
    server.send(StateReport(sender("e"), S.MFG_STARTED))
    server.send(StateReport(sender("f"), S.MFG_STARTED))
    assert {"served", "sealed"} < server.serials()


def test_content_of_candidates_is_bounded(server: Server) -> None:
    for number in range(12):
        server.send(EventBatch(sender("a"), lines(20 * number, 20, "x" * 4000)))
        server.now_ns += 3 * 10**9
    server.send(Document(sender("b"), "1", "x" * 100_000, DocumentKind.HARDWARE))
    server.now_ns += 3 * 10**9
    more = Document(sender("b"), "2", "x", DocumentKind.HARDWARE)
    with pytest.raises(NoRoom, match="sent too much"):
        server.send(more)
    server.send(StateReport(sender("b"), S.MFG_STARTED))
    server.now_ns += 61 * MINUTE
    server.send(EventBatch(sender("b"), lines(1, 1)))
    assert server.serials() == {"b"}


def test_certificates_of_units_that_were_not_provisioned_here_are_bounded(server: Server) -> None:
    """They are never removed, and anyone can ask for one."""

    def erased(serial: str, operator: str) -> ErasureRegistration:
        return ErasureRegistration(sender(serial), report(serial, operator, disks=200).decode())

    for state in (S.MFG_STARTED, S.MFG_SUCCEEDED):
        server.send(StateReport(sender("sealed"), state))
    server.now_ns += MINUTE

    def strangers() -> None:
        for number in range(100):
            server.send(erased(f"bench{number}", "x"))

    with pytest.raises(NoRoom, match="certificate_mebibytes"):
        strangers()
    issued = len(server.serials()) - 1
    assert issued > 2
    for number in range(issued):
        server.send(erased("sealed", str(number)))
    with server.database.read() as db:
        sizes = dict(
            db.execute(
                select(units.c.sealed, func.sum(func.length(erasures.c.certificate)))
                .join_from(erasures, units)
                .group_by(units.c.sealed)
            ).all()
        )
    largest = len(report("bench0", "x", disks=200)) * 2
    assert 1 << 20 <= sizes[False] < (1 << 20) + largest
    assert sizes[True] > (1 << 20) * 0.8


def test_the_size_of_a_log_is_that_of_its_events(server: Server) -> None:
    for number in range(30):
        server.send(EventBatch(sender("a"), lines(40 * number, 40, "é" * 1000)))
        with server.database.read() as db:
            counted = db.execute(select(units.c.log_bytes)).scalar_one()
            real = db.execute(select(func.sum(func.length(events.c.body) + 100))).scalar_one()
            last = db.execute(select(func.max(events.c.number))).scalar_one()
        assert counted == real <= 1 << 20
        assert last == 40 * number + 39


def test_sessions_without_reports_are_forgotten(server: Server) -> None:
    for state in (S.MFG_STARTED, S.MFG_SUCCEEDED):
        server.send(StateReport(sender("1"), state))
    with server.database.write() as db:
        for run in range(2, 401):
            origin_of(db, sender("1", run), server.now_ns)
    with server.database.read() as db:
        numbers = set(db.execute(select(sessions.c.number)).scalars())
    assert numbers == {1, *range(201, 401)}


def test_contents_of_discarded_documents_are_removed(server: Server) -> None:
    for state in (S.MFG_STARTED, S.MFG_SUCCEEDED):
        server.send(StateReport(sender("1"), state))
    for number in range(13):
        server.send(Document(sender("1"), "qa", f"{number:03}" + "x" * 99_997))
    server.container.bounds().sweep()
    assert contents(server) == [0] * 2 + [100_000] * 11  # of them one is held
    server.now_ns += 8 * 24 * 60 * MINUTE
    server.container.bounds().sweep()
    assert contents(server) == [0] * 12 + [100_000]
    detail = server.container.queries().unit("1")
    assert detail is not None
    statuses = [document.status for document in detail.documents]
    assert statuses == [DocumentStatus.DISCARDED] * 12 + [DocumentStatus.HELD]


def test_names_of_released_documents_are_bounded(server: Server) -> None:
    """A unit has one name for all its provisionings."""
    for run in range(3):
        server.send(StateReport(sender("1", run), S.MFG_STARTED))
        for number in range(20 if run < 2 else 10):
            server.send(Document(sender("1", run), f"qa-{run}-{number}", "x"))
        server.send(StateReport(sender("1", run), S.MFG_SUCCEEDED))
        server.send(StateReport(sender("1", run), S.FR_SUCCEEDED))
    server.send(StateReport(sender("1", 4), S.MFG_STARTED))
    server.send(Document(sender("1", 4), "qa-1-1", "y"))
    one_more = Document(sender("1", 4), "another", "x")
    with pytest.raises(RefusedByPolicy, match="50 documents"):
        server.send(one_more)


def contents(server: Server) -> list[int]:
    with server.database.read() as db:
        rows = db.execute(select(documents.c.size, func.length(documents.c.content)).order_by(documents.c.id)).all()
    assert all(size == length for size, length in rows)
    return [size for size, _ in rows]


def test_one_address_does_not_use_up_what_others_may(server: Server) -> None:
    request = CredentialRequest(sender("1"))
    for _ in range(30):
        server.admission.admit(request, PEER)
    with pytest.raises(TooMany, match="passwords"):
        server.admission.admit(request, PEER)
    server.admission.admit(request, "10.1.0.10")
    with pytest.raises(TooMany):
        server.admission.admit(request, f"::ffff:{PEER}")
