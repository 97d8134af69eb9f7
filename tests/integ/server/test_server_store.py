"""The store on a real SQLite file and on a real PostgreSQL, with a clock that the test sets."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from typing_extensions import override

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.container import server_container
from gprov.apps.server.secrets.credentials import CredentialsRefused
from gprov.apps.server.store.database import Database, open_existing, store_path
from gprov.apps.server.store.delivered_documents import MAX_HELD, MAX_KEPT
from gprov.apps.server.store.presence import serving, sole_server
from gprov.apps.server.store.records import DifferenceEntry, KeptDocument
from gprov.apps.server.store.rows import EVENTS_KEPT, SERVER_TYPE
from gprov.apps.server.store.schema import VERSION
from gprov.apps.server.store.state_reports import STATES_KEPT
from gprov.apps.server.store.tables import states, store_version, units
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, RefusedByPolicy
from gprov.domain.events import Event, LogLine, ProcessState, StateChange
from gprov.domain.factory.audit import Actor
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import (
    CodeNameReport,
    CredentialRequest,
    Document,
    EventBatch,
    MacReport,
    NamedMac,
    Sender,
    StateReport,
)
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.store import StoreSettings
from gprov.ports.clock import Randomness
from gprov.ports.secretbox import KeyProvider
from tests.integ.server.postgresql import Cluster

MINUTE = 60 * 10**9
START = 1_750_000_000_000_000_000
S = ProcessState
OPERATOR = Actor("a person", "a test")


class Seeded(Randomness):
    def __init__(self) -> None:
        self._random = random.Random(1)

    @override
    def token(self, size: int) -> bytes:
        return self._random.randbytes(size)


@dataclass
class Server:
    """The server's services, without HTTP."""

    folder: Path
    now_ns: int = START
    randomness: Randomness = field(default_factory=Seeded)
    keys: KeyProvider = field(default_factory=FakeKeys)
    database_url: str = ""
    databases: list[Database] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = ServerSettings(store=StoreSettings(database=self.database_url))
        self.container = container = server_container(str(self.folder), self.keys, settings)
        set_value(container.now, lambda: self.now_ns)
        set_value(container.randomness, self.randomness)
        self.database = container.database()
        self.databases.append(self.database)
        self.services, self.admin = container.services(), container.admin()
        self.trail, self.key, self.passwords = container.trail(), container.store_key(), container.passwords()
        (self.folder / "documents").mkdir(mode=0o700, parents=True, exist_ok=True)

    def restart(self) -> Server:
        self.database.close()
        return replace(self)

    def close(self) -> None:
        """Also those that were restarted."""
        for database in self.databases:
            database.close()

    def later(self, minutes: float) -> None:
        self.now_ns += round(minutes * MINUTE)

    def document(self, serial: str, index: int = -1) -> tuple[DocumentStatus, str]:
        detail = self.services.queries.unit(serial)
        assert detail is not None
        return detail.documents[index].status, detail.documents[index].reason

    def notes(self, serial: str) -> list[str]:
        found = self.services.queries.events(serial, 0, 1000)
        assert found is not None
        return [event.text for event in found if event.type == SERVER_TYPE]


@dataclass(frozen=True)
class Unit:
    server: Server
    serial: str
    boot: int = 1

    @property
    def sender(self) -> Sender:
        return Sender(self.serial, f"{self.boot:032x}")

    def state(self, *states: ProcessState) -> None:
        for state in states:
            self.server.services.store.state(StateReport(self.sender, state))

    def log(self, *events: Event) -> int:
        return self.server.services.store.events(EventBatch(self.sender, events)).result().count

    def document(
        self, content: str = "all is well", name: str = "qa.json", kind: DocumentKind = DocumentKind.QA
    ) -> None:
        self.server.services.store.document(Document(self.sender, name, content, kind))

    def credentials(self) -> tuple[str, str, str]:
        found = self.server.services.credentials.hand_out(CredentialRequest(self.sender), "10.0.2.15")
        return found.os.reveal(), found.bios.reveal(), found.ipmi.reveal()


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    opened = Server(tmp_path, database_url=database_url)
    yield opened
    opened.close()


def provision(unit: Unit) -> None:
    unit.state(S.MFG_STARTED)
    unit.document()
    unit.state(S.MFG_SUCCEEDED)


def test_a_document_is_written_after_the_first_restore_and_not_before(server: Server) -> None:
    provision(Unit(server, "1"))
    server.services.released.write_due()
    assert os.listdir(server.folder / "documents") == []
    restored = Unit(server, "1", boot=2)
    restored.state(S.FR_STARTED)
    server.later(15)
    restored.state(S.FR_SUCCEEDED)
    assert server.services.released.write_due() == 1
    path = server.folder / "documents" / "1~qa.json"
    assert path.read_text() == "all is well"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(server.folder / "documents") == ["1~qa.json"]
    assert server.document("1") == (DocumentStatus.RELEASED, "the first restore succeeded")
    assert server.services.released.write_due() == 0


def test_states_in_the_log_count_as_well(server: Server) -> None:
    unit = Unit(server, "1")
    unit.log(Event(1, 5, LogLine("hello")), Event(2, 5, StateChange(S.MFG_STARTED)))
    unit.document()
    unit.log(Event(3, 5, StateChange(S.MFG_SUCCEEDED)))
    Unit(server, "1", boot=2).log(Event(1, 5, StateChange(S.FR_STARTED)), Event(9, 5, StateChange(S.FR_SUCCEEDED)))
    assert server.document("1")[0] is DocumentStatus.RELEASED


def test_a_log_that_lags_behind_direct_reports_changes_nothing(server: Server) -> None:
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED, S.MFG_SUCCEEDED)
    unit.log(Event(1, 5, StateChange(S.MFG_STARTED)), Event(2, 5, StateChange(S.MFG_SUCCEEDED)))
    assert _states(server, "1") == [(S.MFG_STARTED, 1), (S.MFG_SUCCEEDED, 1)]


def test_the_same_state_counts_again_after_another_session(server: Server) -> None:
    first, second = Unit(server, "1"), Unit(server, "1", boot=2)
    first.state(S.INIT_STARTED, S.INIT_STARTED)
    second.state(S.FR_STARTED)
    first.state(S.INIT_STARTED)
    assert _states(server, "1") == [(S.INIT_STARTED, 1), (S.FR_STARTED, 2), (S.INIT_STARTED, 1)]


def test_a_document_that_waits_too_long_is_discarded_and_recorded(server: Server) -> None:
    provision(Unit(server, "1"))
    server.later(20)
    server.services.store.sweep()
    assert server.document("1")[0] is DocumentStatus.HELD
    server.later(0.01)
    server.services.store.sweep()
    assert server.document("1") == (DocumentStatus.DISCARDED, "the first restore did not succeed in time")
    assert server.notes("1")[-1] == "document qa.json discarded: the first restore did not succeed in time"
    Unit(server, "1", boot=2).state(S.FR_SUCCEEDED)
    assert server.document("1")[0] is DocumentStatus.DISCARDED


def test_a_restore_that_comes_too_late_releases_nothing_even_before_the_sweep(server: Server) -> None:
    provision(Unit(server, "1"))
    server.later(21)
    Unit(server, "1", boot=2).state(S.FR_SUCCEEDED)
    assert server.document("1")[0] is DocumentStatus.DISCARDED


def test_documents_of_a_provisioning_that_failed_or_began_again_are_discarded(server: Server) -> None:
    failed = Unit(server, "failed")
    failed.state(S.MFG_STARTED)
    failed.document()
    failed.state(S.MFG_FAILED)
    assert server.document("failed") == (DocumentStatus.DISCARDED, "the provisioning failed")
    provision(Unit(server, "again"))
    Unit(server, "again", boot=2).state(S.MFG_STARTED)
    assert server.document("again") == (DocumentStatus.DISCARDED, "the unit was provisioned again")


def test_a_second_provisioning_releases_only_its_own_document(server: Server) -> None:
    provision(Unit(server, "1"))
    again = Unit(server, "1", boot=2)
    again.state(S.MFG_STARTED)
    again.document("better")
    again.state(S.MFG_SUCCEEDED)
    Unit(server, "1", boot=3).state(S.FR_SUCCEEDED)
    server.services.released.write_due()
    assert (server.folder / "documents" / "1~qa.json").read_text() == "better"
    assert [server.document("1", index)[0] for index in (0, 1)] == [DocumentStatus.DISCARDED, DocumentStatus.RELEASED]


def test_a_document_that_is_sent_again_is_one_document_and_a_newer_one_replaces_it(server: Server) -> None:
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED)
    unit.document()
    unit.document()
    unit.document("other", "other.json")
    unit.document("newer")
    assert server.document("1", 0) == (DocumentStatus.DISCARDED, "replaced by a newer document of the same name")
    assert [server.document("1", index)[0] for index in (1, 2)] == [DocumentStatus.HELD, DocumentStatus.HELD]
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert len(detail.documents) == 3


def test_a_unit_cannot_fill_the_store_with_held_documents(server: Server) -> None:
    unit = Unit(server, "1")
    for number in range(MAX_HELD):
        unit.document(name=f"{number}.json")
    with pytest.raises(RefusedByPolicy, match="on hold already"):
        unit.document(name="one more")


def test_a_machine_that_was_not_identified_is_listed_and_never_gets_a_qa_document(server: Server) -> None:
    unknown = Unit(server, "UNKNOWN_SN_56789000000A")
    unknown.document("{}", "hardware.json", DocumentKind.HARDWARE)
    unknown.log(Event(1, 5, LogLine("no platform matches")), Event(2, 5, StateChange(S.MFG_FAILED)))
    with pytest.raises(RefusedByPolicy, match="not identified"):
        unknown.document()
    # Not even if it were reported as a unit that left the factory in good order.
    unknown.state(S.MFG_STARTED, S.MFG_SUCCEEDED)
    with pytest.raises(RefusedByPolicy, match="not identified"):
        unknown.document()
    Unit(server, "UNKNOWN_SN_56789000000A", boot=2).state(S.FR_SUCCEEDED)
    assert server.services.released.write_due() == 0
    assert os.listdir(server.folder / "documents") == []
    assert [unit.serial for unit in server.services.queries.units(10, 0)] == ["UNKNOWN_SN_56789000000A"]
    assert server.document("UNKNOWN_SN_56789000000A") == (DocumentStatus.KEPT, "")


def test_reports_are_kept_whatever_becomes_of_the_unit_and_can_be_read_back(server: Server) -> None:
    unit, queries = Unit(server, "1"), server.services.queries
    unit.state(S.MFG_STARTED)
    unit.document("first", "hardware.json", DocumentKind.HARDWARE)
    unit.document("first", "hardware.json", DocumentKind.HARDWARE)
    unit.document("table", "smbios.b64", DocumentKind.SMBIOS)
    unit.state(S.MFG_FAILED)
    server.later(100)
    server.services.store.sweep()
    provision(Unit(server, "1", boot=2))
    Unit(server, "1", boot=3).state(S.FR_SUCCEEDED)
    assert server.services.released.write_due() == 1  # the QA document
    assert os.listdir(server.folder / "documents") == ["1~qa.json"]
    assert queries.kept_document("1", "hardware.json") == KeptDocument("hardware.json", DocumentKind.HARDWARE, "first")
    Unit(server, "1", boot=4).document("second", "hardware.json", DocumentKind.HARDWARE)
    assert queries.kept_document("1", "hardware.json") == KeptDocument("hardware.json", DocumentKind.HARDWARE, "second")
    detail = queries.unit("1")
    assert detail is not None
    found = {document.name: (document.kind, document.status) for document in detail.documents}
    assert found == {
        "smbios.b64": (DocumentKind.SMBIOS, DocumentStatus.KEPT),
        "qa.json": (DocumentKind.QA, DocumentStatus.RELEASED),
        "hardware.json": (DocumentKind.HARDWARE, DocumentStatus.KEPT),
    }
    assert len(detail.documents) == 3
    for serial, name in (("1", "qa.json"), ("1", "other"), ("2", "hardware.json")):
        assert queries.kept_document(serial, name) is None


def test_differences_are_in_the_record_of_the_unit(server: Server) -> None:
    unit, queries = Unit(server, "1"), server.services.queries
    unit.document('{"Differences": []}', "differences.json", DocumentKind.DIFFERENCES)
    found = queries.unit("1")
    assert found is not None
    assert found.differences == ()
    row = {"Place": "RamMegs", "Required": "2048 MiB", "Detected": "1024 MiB"}
    unit.document(json.dumps({"Differences": [row]}), "differences.json", DocumentKind.DIFFERENCES)
    found = queries.unit("1")
    assert found is not None
    assert found.differences == (DifferenceEntry("RamMegs", "2048 MiB", "1024 MiB"),)
    with pytest.raises(BadInput, match="Differences: is missing"):
        unit.document("{}", "differences.json", DocumentKind.DIFFERENCES)


def test_a_unit_cannot_fill_the_store_with_reports(server: Server) -> None:
    unit = Unit(server, "1")
    for number in range(MAX_KEPT):
        unit.document(name=f"{number}.json", kind=DocumentKind.HARDWARE)
    with pytest.raises(RefusedByPolicy, match="kept already"):
        unit.document(name="one more", kind=DocumentKind.HARDWARE)
    unit.document("newer", name="3.json", kind=DocumentKind.HARDWARE)
    found = server.services.queries.kept_document("1", "3.json")
    assert found is not None
    assert found.content == "newer"


def test_a_release_survives_a_server_that_was_killed_before_it_wrote(server: Server) -> None:
    provision(Unit(server, "1"))
    Unit(server, "1", boot=2).state(S.FR_SUCCEEDED)
    again = server.restart()
    assert again.services.released.write_due() == 1
    assert (server.folder / "documents" / "1~qa.json").read_text() == "all is well"
    again.database.close()


def test_a_document_that_cannot_be_written_stays_due(server: Server) -> None:
    provision(Unit(server, "1"))
    Unit(server, "1", boot=2).state(S.FR_SUCCEEDED)
    blocked = server.folder / "documents" / "1~qa.json"
    blocked.mkdir()
    with pytest.raises(DeviceFault, match=r"qa\.json"):
        server.services.released.write_due()
    assert os.listdir(server.folder / "documents") == ["1~qa.json"]  # nothing partial is left
    blocked.rmdir()
    assert server.services.released.write_due() == 1


def test_names_of_documents_cannot_leave_the_folder(server: Server) -> None:
    unit = Unit(server, "../../../tmp")
    unit.state(S.MFG_STARTED)
    unit.document(name="../../escaped")
    unit.state(S.MFG_SUCCEEDED, S.FR_SUCCEEDED)
    server.services.released.write_due()
    assert os.listdir(server.folder / "documents") == ["%2E.%2F..%2F..%2Ftmp~..%2F..%2Fescaped"]


def test_passwords_are_the_same_again_and_others_for_another_unit(server: Server) -> None:
    first, second = Unit(server, "1"), Unit(server, "2")
    for unit in (first, second):
        unit.state(S.MFG_STARTED)
    passwords = first.credentials()
    assert first.credentials() == passwords
    assert not set(second.credentials()) & set(passwords)
    again = Unit(server, "1", boot=2)  # the first attempt failed half-way; some passwords are set already
    again.state(S.MFG_STARTED)
    assert again.credentials() == passwords
    assert Unit(server.restart(), "1", boot=2).credentials() == passwords


def test_every_hand_out_is_recorded(server: Server) -> None:
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED)
    unit.credentials()
    server.later(1)
    unit.credentials()
    detail = server.services.queries.unit("1")
    assert detail is not None
    record = detail.credentials
    assert (record.made, record.handed_out, record.last_ns, record.last_peer, record.sealed) == (
        True,
        2,
        START + MINUTE,
        "10.0.2.15",
        False,
    )
    assert server.notes("1") == ["credentials handed out to 10.0.2.15"] * 2


def test_a_serial_alone_gets_no_passwords(server: Server) -> None:
    unit = Unit(server, "1")
    assert _refused(unit) is Refusal.NOT_STARTED
    unit.state(S.MFG_STARTED)
    assert _refused(Unit(server, "1", boot=2)) is Refusal.OTHER_SESSION
    server.later(241)
    assert _refused(unit) is Refusal.WINDOW_OVER
    unit.state(S.MFG_FAILED, S.MFG_STARTED)
    unit.credentials()
    unit.state(S.MFG_SUCCEEDED)
    assert _refused(unit) is Refusal.SEALED
    again = Unit(server, "1", boot=3)
    again.state(S.MFG_STARTED)
    assert _refused(again) is Refusal.SEALED
    assert server.notes("1")[-1].startswith("credentials refused to 10.0.2.15: ")


def test_a_person_can_reopen_a_unit_for_one_provisioning(server: Server) -> None:
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED)
    passwords = unit.credentials()
    unit.state(S.MFG_SUCCEEDED)
    server.admin.reopen("1", OPERATOR)
    again = Unit(server, "1", boot=2)
    again.state(S.MFG_STARTED)
    assert again.credentials() == passwords
    again.state(S.MFG_SUCCEEDED)
    third = Unit(server, "1", boot=3)
    third.state(S.MFG_STARTED)
    assert _refused(third) is Refusal.SEALED
    server.admin.reopen("1", OPERATOR)
    server.later(24 * 60 + 1)
    third.state(S.MFG_FAILED, S.MFG_STARTED)
    assert _refused(third) is Refusal.SEALED
    with pytest.raises(BadInput, match="no unit"):
        server.admin.reopen("never seen", OPERATOR)


def test_a_success_after_a_failure_is_refused_and_both_are_recorded(server: Server) -> None:
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED, S.MFG_FAILED)
    with pytest.raises(RefusedByPolicy, match="contradicts"):
        unit.state(S.MFG_SUCCEEDED)
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert detail.summary.state is S.MFG_FAILED
    assert [(entry.state.value, entry.verdict.value) for entry in detail.states] == [
        ("MFG_STARTED", "applied"),
        ("MFG_FAILED", "applied"),
        ("MFG_SUCCEEDED", "contradicted"),
    ]
    assert not detail.credentials.sealed


def test_events_are_stored_once_in_order_of_arrival(server: Server) -> None:
    unit = Unit(server, "1")
    events = [Event(number, 1000 + number, LogLine(f"line {number}")) for number in range(1, 11)]
    assert unit.log(*events[:6]) == 6
    assert unit.log(*events[3:]) == 4
    assert unit.log(*events) == 0
    assert Unit(server, "1", boot=2).log(events[0]) == 1
    assert Unit(server, "2").log(events[0]) == 1
    found = server.services.queries.events("1", 0, 1000)
    assert found is not None
    assert [(event.session, event.number) for event in found] == [(1, number) for number in range(1, 11)] + [(2, 1)]
    page = server.services.queries.events("1", found[2].seq, 2)
    assert page == found[3:5]


def test_code_name_and_macs_are_the_last_reported(server: Server) -> None:
    unit, store = Unit(server, "1"), server.services.store
    store.code_name(CodeNameReport(unit.sender, "old"))
    store.code_name(CodeNameReport(unit.sender, "new"))
    store.macs(MacReport(unit.sender, (NamedMac("x", "00:00:00:00:00:01"),), ()))
    nics = (NamedMac("eth1", "56:78:90:00:00:02"), NamedMac("eth0", "56:78:90:00:00:01"))
    store.macs(MacReport(unit.sender, nics, ("56:78:90:00:00:03",)))
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert (detail.summary.code_name, detail.nics, detail.bmc) == ("new", nics, ("56:78:90:00:00:03",))


def test_a_unit_that_never_stops_reporting_does_not_fill_the_disk(server: Server) -> None:
    unit = Unit(server, "1")
    unit.log(Event(1, 0, LogLine("first")))
    # As if it had sent that many: 100,000 real ones would take a minute.
    with server.database.write() as db:
        db.execute(update(units).values(last_seq=EVENTS_KEPT))
    unit.log(Event(2, 0, LogLine("second")))
    found = server.services.queries.events("1", 0, 10)
    assert found is not None
    assert [event.text for event in found] == ["second"]
    unit.state(S.MFG_STARTED)
    with server.database.write() as db:
        rows = [{"unit": 1, "session": 1, "state": "FR_STARTED", "received_ns": 1, "verdict": "applied"}] * STATES_KEPT
        db.execute(insert(states), rows)
    unit.state(S.INIT_STARTED, S.INIT_SUCCEEDED)
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert len(detail.states) == STATES_KEPT
    found_states = [entry.state for entry in detail.states]
    assert set(found_states[:-2]) == {S.FR_STARTED}
    assert found_states[-2:] == [S.INIT_STARTED, S.INIT_SUCCEEDED]


def test_units_are_listed_by_activity(server: Server) -> None:
    for number in range(5):
        server.later(1)
        Unit(server, str(number)).state(S.INIT_STARTED)
    server.later(1)
    Unit(server, "1").state(S.INIT_SUCCEEDED)
    assert [unit.serial for unit in server.services.queries.units(3, 0)] == ["1", "4", "3"]
    assert [unit.serial for unit in server.services.queries.units(3, 3)] == ["2", "0"]
    assert server.services.queries.unit("never seen") is None
    assert server.services.queries.events("never seen", 0, 1) is None


def test_only_the_owner_can_read_the_store_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        opened = Server(tmp_path)
        provision(Unit(opened, "1"))
    finally:
        os.umask(before)
    for name in os.listdir(tmp_path / "store"):
        assert stat.S_IMODE((tmp_path / "store" / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    opened.database.close()


def test_sqlite_is_durable_at_every_commit(tmp_path: Path) -> None:
    with closing(Database(str(tmp_path))) as database, database.read() as db:
        assert db.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert db.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert db.execute(text("PRAGMA secure_delete")).scalar_one() == 1
    with closing(sqlite3.connect(store_path(str(tmp_path)))) as other:
        assert other.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert other.execute("SELECT version FROM store_version").fetchall() == [(VERSION,)]


def test_a_failed_transaction_leaves_nothing(server: Server) -> None:
    def half() -> None:
        with server.database.write() as db:
            db.execute(insert(units).values(serial="half", state_ns=1, first_seen_ns=1, last_seen_ns=1))
            db.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(DeviceFault, match=r"(factory\.sqlite|^postgresql://).*nowhere"):
        half()
    assert server.services.queries.units(10, 0) == ()


def test_a_store_of_a_newer_gprov_is_left_alone(tmp_path: Path, database_url: str) -> None:
    with closing(Database(str(tmp_path), database_url)) as database, database.write() as db:
        db.execute(update(store_version).values(version=99))
    with pytest.raises(DeviceFault, match="newer gprov"):
        Database(str(tmp_path), database_url)


def test_a_file_that_is_not_a_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing), open_existing(str(tmp_path)):
        pass
    (tmp_path / "store").mkdir()
    Path(store_path(str(tmp_path))).write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(DeviceFault, match=r"factory\.sqlite"):
        Database(str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceFault, match="cannot be made"):
        Database(str(tmp_path / "file"))


def test_a_database_without_a_store_is_left_as_it_is(postgresql: Cluster) -> None:
    url = postgresql.new_database()
    with pytest.raises(DeviceMissing, match="there is no store"), open_existing("", url):
        pass
    with pytest.raises(DeviceMissing, match="there is no store"), open_existing("", url):
        pass
    with closing(Database("", url)), open_existing("", url) as db:
        assert db.execute(select(store_version.c.version)).scalar_one() == VERSION
    head, _, host = url.rpartition("?")
    missing = f"{head.rpartition('/')[0]}/nowhere?{host}"
    with pytest.raises(DeviceFault, match=r'^postgresql://.*"nowhere" does not exist'):
        Database("", missing)


def test_several_servers_on_one_postgresql_and_none_beside_a_command_that_needs_it_alone(postgresql: Cluster) -> None:
    url = postgresql.new_database()
    with serving("", url), serving("", url), pytest.raises(DeviceFault, match="another server"), sole_server("", url):
        pass
    with sole_server("", url), pytest.raises(DeviceFault, match="another server"), serving("", url):
        pass
    with serving("", url):
        pass


def test_one_server_for_a_folder(tmp_path: Path) -> None:
    with sole_server(str(tmp_path)), pytest.raises(DeviceFault, match="another server"), sole_server(str(tmp_path)):
        pass
    with sole_server(str(tmp_path)):
        pass


def _refused(unit: Unit) -> Refusal:
    with pytest.raises(CredentialsRefused) as caught:
        unit.credentials()
    return caught.value.why


def _states(server: Server, serial: str) -> list[tuple[ProcessState, int]]:
    detail = server.services.queries.unit(serial)
    assert detail is not None
    return [(entry.state, entry.session) for entry in detail.states]
