"""Thefts that a server with accounts prevents or has a person look at. Each test names what the server did before it
asked for tokens. Its clock is the test's; units and thieves speak to the application over HTTP."""

from __future__ import annotations

import asyncio
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, insert, select

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.access import start_tokens
from gprov.apps.server.container import server_container
from gprov.apps.server.store.rows import SERVER_TYPE
from gprov.apps.server.store.tables import start_tokens as start_token_table
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.events import Event, LogLine, ProcessState, StateChange
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.messages import encode
from gprov.domain.factory.requests import (
    CodeNameReport,
    CredentialRequest,
    Document,
    EventBatch,
    MacReport,
    NamedMac,
    ProvisioningStart,
    Request,
    RunsRequest,
    Sender,
    SessionProof,
    StateReport,
)
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.factory.start_token import digest_of
from gprov.domain.unit.credentials import Secret

S = ProcessState
SERIAL = "SN 1/A"
MINUTE = 60 * 10**9
PERSON = Actor("a person", "a test")
_SESSIONS = count(1)


@dataclass
class Factory:
    folder: Path
    mode: AccessMode = AccessMode.ACCOUNTS
    now_ns: int = 1_750_000_000_000_000_000

    def __post_init__(self) -> None:
        settings = replace(ServerSettings(), access=Access(mode=self.mode, behind_proxy=True))
        container = server_container(str(self.folder), FakeKeys(), settings)
        set_value(container.now, lambda: self.now_ns)
        self.database, self.services, self.app = container.database(), container.services(), container.app()
        self.admin, self.trail = container.admin(), container.trail()

    def ask(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=("10.1.0.66", 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://factory") as client:
                return await client.request(method, path, content=body, headers={"Content-Type": "application/json"})

        return asyncio.run(exchange())

    def post(self, message: Request) -> httpx.Response:
        return self.ask("POST", f"/api/v1/{message.path}", encode(message))

    def token(self, serial: str = SERIAL) -> Secret:
        """As the iPXE script has it for each caller."""
        reply = self.ask("GET", f"/boot.ipxe?{urllib.parse.urlencode({'serial': serial, 'board': 'B1'})}")
        found = re.search(r"^kernel .* PROVISION_TOKEN=([0-9a-f]{32}) ", reply.text, re.MULTILINE)
        assert found, reply.text
        return Secret(found[1])

    @property
    def concern(self) -> str:
        detail = self.services.queries.unit(SERIAL)
        assert detail is not None
        return detail.access.concern

    def document(self) -> DocumentStatus:
        detail = self.services.queries.unit(SERIAL)
        assert detail is not None
        return detail.documents[-1].status

    @property
    def notes(self) -> str:
        found = self.services.queries.events(SERIAL, 0, 1000)
        assert found is not None
        return "\n".join(event.text for event in found if event.type == SERVER_TYPE)

    @property
    def state(self) -> ProcessState:
        detail = self.services.queries.unit(SERIAL)
        assert detail is not None
        return detail.summary.state


@dataclass
class Client:
    """A session: of a unit, or of a program that claims to be one."""

    factory: Factory
    serial: str = SERIAL
    secret: Secret = field(default_factory=lambda: Secret(f"{next(_SESSIONS):064x}"))

    def __post_init__(self) -> None:
        self.sender = Sender(self.serial, f"{next(_SESSIONS):032x}")

    def start(self, token: Secret | None = None, earlier: Secret | None = None) -> int:
        message = ProvisioningStart(
            self.sender, key=digest_of(self.secret), token=token, secret=earlier, lost=earlier is None
        )
        return self.factory.post(message).status_code

    def state(self, *states: ProcessState) -> int:
        return [self.factory.post(StateReport(self.sender, state)).status_code for state in states][-1]

    def passwords(self) -> httpx.Response:
        return self.factory.post(CredentialRequest(self.sender))

    def document(self, content: str = "a unit") -> int:
        return self.factory.post(Document(self.sender, "qav.htm", content)).status_code

    def prove(self, secret: Secret) -> int:
        return self.factory.post(SessionProof(self.sender, secret)).status_code

    def provision(self, earlier: Secret | None = None) -> str:
        """Up to the hand-out; the password that it got."""
        assert self.start(self.factory.token(self.serial), earlier) == 204
        assert self.state(S.MFG_STARTED) == 204
        reply = self.passwords()
        assert reply.status_code == 200, reply.text
        return str(reply.json()["os"])

    def finish(self) -> None:
        assert self.document() == 204
        assert self.state(S.MFG_SUCCEEDED) == 204

    def restored(self) -> None:
        """By a later session of this unit."""
        later = Client(self.factory, self.serial)
        assert later.prove(self.secret) == 204
        assert later.state(S.FR_STARTED, S.FR_SUCCEEDED) == 204


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    made = Factory(tmp_path)
    with closing(made.database):
        yield made


def test_a_unit_goes_through_its_life(factory: Factory) -> None:
    unit = Client(factory)
    unit.provision()
    assert factory.post(CodeNameReport(unit.sender, "QEMU")).status_code == 204
    assert factory.post(MacReport(unit.sender, (NamedMac("eth0", "56:78:90:00:00:01"),))).status_code == 204
    assert factory.post(RunsRequest(unit.sender)).json() == {"unfinished": 1}
    unit.finish()
    unit.restored()
    assert factory.document() is DocumentStatus.RELEASED
    assert factory.state is S.FR_SUCCEEDED
    assert factory.concern == ""


def test_nothing_goes_without_a_token(factory: Factory) -> None:
    """Before: a program that knew a serial number began, and got the passwords."""
    thief = Client(factory)
    assert thief.start() == 403
    assert thief.state(S.MFG_STARTED) == 409
    assert thief.passwords().status_code == 403
    assert factory.state is S.UNKNOWN


def test_a_theft_after_the_hand_out_is_refused_until_a_person_reopens(factory: Factory) -> None:
    """Before: the thief reported MFG_STARTED again and got the same passwords."""
    unit, thief = Client(factory), Client(factory)
    stolen = unit.provision()
    assert thief.start(factory.token()) == 403
    assert thief.state(S.MFG_STARTED) == 409
    assert thief.passwords().json()["refusal"] == "other-session"
    assert "another session" in factory.concern
    unit.finish()
    unit.restored()
    assert factory.document() is DocumentStatus.WAITING, "a person looks first"
    factory.admin.reopen(SERIAL, PERSON)
    again = Client(factory)
    assert again.provision() == stolen
    assert factory.concern == ""


def test_passwords_that_were_fetched_before_the_unit_was_there_are_noticed(factory: Factory) -> None:
    """Before: the unit began and got the same passwords."""
    thief, unit = Client(factory), Client(factory)
    stolen = thief.provision()
    assert unit.start(factory.token()) == 403
    assert "10.1.0.66" in factory.concern
    factory.admin.reopen(SERIAL, PERSON, replace_passwords=True)
    assert unit.provision() != stolen
    assert thief.passwords().status_code == 403


def test_a_thief_who_shows_its_own_secret_gains_nothing(factory: Factory) -> None:
    first, second, unit = Client(factory), Client(factory), Client(factory)
    stolen = first.provision()
    assert second.start(factory.token(), first.secret) == 204
    assert unit.provision() != stolen
    assert second.passwords().status_code == 403


def test_a_stranger_seals_no_unit(factory: Factory) -> None:
    """Before: MFG_SUCCEEDED of any session sealed any serial number."""
    unit, stranger = Client(factory), Client(factory)
    assert stranger.state(S.MFG_SUCCEEDED) == 409
    unit.provision()
    assert stranger.state(S.MFG_SUCCEEDED) == 409
    assert factory.post(EventBatch(stranger.sender, (Event(1, 1, StateChange(S.MFG_SUCCEEDED)),))).status_code == 200
    detail = factory.services.queries.unit(SERIAL)
    assert detail is not None
    assert not detail.credentials.sealed
    assert factory.state is S.MFG_STARTED
    assert factory.concern
    assert "has not proven" in factory.notes


def test_success_of_a_session_without_the_passwords_is_refused(factory: Factory) -> None:
    """Before: it sealed the unit, with the passwords at another session."""
    holder, other = Client(factory), Client(factory)
    holder.provision()
    assert other.start(factory.token(), holder.secret) == 204
    assert other.state(S.MFG_STARTED) == 204
    assert other.state(S.MFG_SUCCEEDED) == 409


@pytest.mark.parametrize("when", ["before", "after"])
def test_macs_and_platform_are_not_forged(factory: Factory, when: str) -> None:
    """Before: any session replaced them; with MACs, a machine is also sent to its disks."""
    unit, forger = Client(factory), Client(factory)
    unit.provision()
    own = MacReport(unit.sender, (NamedMac("eth0", "56:78:90:00:00:01"),))
    assert factory.post(own).status_code == 204
    if when == "after":
        unit.finish()
    assert factory.post(replace(own, sender=forger.sender, nics=())).status_code == 409
    assert factory.post(CodeNameReport(forger.sender, "OTHER")).status_code == 409
    detail = factory.services.queries.unit(SERIAL)
    assert detail is not None
    assert detail.nics == own.nics
    assert detail.summary.code_name == ""
    assert "refused MACs" in factory.notes


def test_a_qa_document_is_not_forged(factory: Factory) -> None:
    """Before: a later document of any session replaced the unit's, and any FR_SUCCEEDED released it."""
    unit, forger = Client(factory), Client(factory)
    unit.provision()
    unit.finish()
    assert forger.document("forged") == 409
    assert forger.state(S.FR_SUCCEEDED) == 409
    assert factory.post(EventBatch(forger.sender, (Event(1, 1, StateChange(S.FR_SUCCEEDED)),))).status_code == 200
    assert factory.document() is DocumentStatus.HELD
    assert forger.prove(forger.secret) == 403
    unit.restored()
    assert factory.document() is DocumentStatus.RELEASED
    (written,) = (factory.folder / "documents").iterdir()
    assert written.read_text() == "a unit"


def test_a_token_is_not_replayed(factory: Factory) -> None:
    unit, thief = Client(factory), Client(factory)
    token = factory.token()
    assert unit.start(token) == unit.start(token) == 204, "a repeated message is harmless"
    assert thief.start(token) == 403
    assert "was used by another session" in factory.notes


def test_a_script_of_another_machine_is_of_no_use(factory: Factory) -> None:
    assert Client(factory).start(factory.token("SN 2")) == 403
    assert "another serial number" in factory.notes
    assert Client(factory, "B1").start(factory.token()) == 204, "the serial number of the board is one of the machine"


def test_a_token_expires(factory: Factory) -> None:
    token = factory.token()
    factory.now_ns += 61 * MINUTE
    assert Client(factory).start(token) == 403
    assert Client(factory).start(factory.token()) == 204


def test_a_start_that_is_repeated_after_hours_is_harmless(factory: Factory) -> None:
    """Before a hand-out at another URL of the server, a unit repeats its start: after a burn-in, its token has
    expired, and a later token has removed it."""
    unit, token = Client(factory), factory.token()
    assert unit.start(token) == 204
    factory.now_ns += 9 * 60 * MINUTE
    factory.token("SN 2")
    assert unit.start(token) == 204
    assert unit.state(S.MFG_STARTED) == 204
    assert unit.passwords().status_code == 200


def test_tokens_of_scripts_push_out_none_of_a_person(factory: Factory) -> None:
    gate = factory.services.gate
    issued = gate.issue(SERIAL, PERSON, 24 * 60 * MINUTE)
    with factory.database.write() as db:
        for number in range(start_tokens.KEPT):
            db.execute(
                insert(start_token_table).values(
                    digest=f"{number}",
                    serials="[]",
                    issued_ns=factory.now_ns,
                    expires_ns=factory.now_ns + 60 * MINUTE,
                    uses_left=1,
                    issued_by="machine",
                )
            )
    newest = factory.token("SN 2")
    with factory.database.read() as db:
        assert db.execute(select(func.count()).select_from(start_token_table)).scalar_one() == start_tokens.KEPT
    assert Client(factory, "SN 2").start(newest) == 204
    assert Client(factory).start(issued) == 204


def test_a_unit_that_loses_its_power_after_the_hand_out_goes_on_with_its_secret(factory: Factory) -> None:
    first, second = Client(factory), Client(factory)
    passwords = first.provision()
    assert second.provision(first.secret) == passwords
    second.finish()
    second.restored()
    assert factory.document() is DocumentStatus.RELEASED


@pytest.mark.parametrize("written", [1, 2])
def test_a_unit_that_loses_its_power_again_and_again_goes_on_with_what_recovery_has(
    factory: Factory, written: int
) -> None:
    """Each provisioning writes its secret to RECOVERY before it asks for passwords. Other passwords than those that its
    firmware and BMC have by then would stop the unit. ``written``: how many of the later ones get so far."""
    first, second, third, last = (Client(factory) for _ in range(4))
    passwords = first.provision()
    assert second.start(factory.token(), first.secret) == 204
    assert third.start(factory.token(), second.secret) == 204
    found = third.secret if written == 2 else second.secret
    assert last.provision(found) == passwords
    last.finish()
    last.restored()
    assert factory.document() is DocumentStatus.RELEASED
    assert factory.concern == ""


def test_a_unit_that_loses_its_secret_in_a_second_cut_gets_other_passwords(factory: Factory) -> None:
    first, second, third = Client(factory), Client(factory), Client(factory)
    passwords = first.provision()
    assert second.start(factory.token(), first.secret) == 204
    reply = third.provision()
    assert reply != passwords
    third.finish()
    third.restored()
    assert factory.document() is DocumentStatus.WAITING


def test_who_begins_without_the_secret_is_not_told_what_the_setup_of_the_unit_has(factory: Factory) -> None:
    """Between the second start of a unit and its hand-out, anyone can begin with the token of a script."""
    unit, again, thief, thief_again = (Client(factory) for _ in range(4))
    unit.provision()
    given = unit.passwords().json()["bios"]
    assert again.start(factory.token(), unit.secret) == 204
    thief.provision()
    thief_again.provision(thief.secret)
    for got in (thief.passwords().json(), thief_again.passwords().json()):
        assert got.get("refusal") == "other-session" or got["earlier_bios"] == []
    assert given not in thief_again.passwords().text
    factory.admin.reopen(SERIAL, Actor("anna", "it was no thief"))
    reopened = Client(factory)
    reopened.provision()
    assert given in reopened.passwords().text, "its setup may be locked with it"


def test_a_unit_without_its_secret_is_told_what_to_do(factory: Factory) -> None:
    Client(factory).provision()
    unit = Client(factory)
    message = ProvisioningStart(unit.sender, key=digest_of(unit.secret), token=factory.token())
    needed = factory.post(message)
    assert needed.json()["refusal"] == "proof-needed"
    assert factory.concern == "", "it will look for it"
    refused = factory.post(replace(message, lost=True)).json()
    assert refused["refusal"] == "handed-out"
    assert "a person must" in refused["error"]


def test_machines_that_are_not_identified_report_without_tokens(factory: Factory) -> None:
    machine = Client(factory, "UNKNOWN_SN_1")
    assert machine.state(S.MFG_FAILED) == 204
    assert machine.start(factory.token("UNKNOWN_SN_1")) == 403
    assert machine.passwords().status_code == 403
    assert machine.document() == 409


def test_a_later_start_with_a_secret_of_before_a_reopening_proves_nothing(factory: Factory) -> None:
    unit, later = Client(factory), Client(factory)
    unit.provision()
    unit.finish()
    assert later.prove(unit.secret) == 204
    factory.admin.reopen(SERIAL, PERSON)
    assert later.state(S.FR_SUCCEEDED) == 409
    assert Client(factory).prove(unit.secret) == 403


def test_logs_of_sessions_that_prove_nothing_are_kept(factory: Factory) -> None:
    unit = Client(factory)
    assert factory.post(EventBatch(unit.sender, (Event(1, 1, LogLine("a line")),))).json() == {"stored": 1}


def test_the_audit_trail_has_tokens_and_refusals(factory: Factory) -> None:
    thief = Client(factory)
    thief.start(factory.token("SN 2"))
    asked = urllib.parse.urlencode({"serial": "SN1\n7 revealed by anna", "board": "\x1b[2J"})
    assert factory.ask("GET", f"/boot.ipxe?{asked}").status_code == 200, "no unit has such serial numbers"
    with factory.database.read() as db:
        from gprov.apps.server.secrets.audit_trail import entries

        found = [(entry.action, entry.serial) for entry in entries(db)]
        assert not factory.trail.problems(db)
    assert [serial for action, serial in found if action is AuditAction.INVITED] == ["B1"]
    assert (AuditAction.REFUSED, SERIAL) in found


def test_an_isolated_network_asks_for_no_token_and_keeps_the_rules_of_sessions(tmp_path: Path) -> None:
    isolated = Factory(tmp_path, AccessMode.ISOLATED)
    with closing(isolated.database):
        assert "PROVISION_TOKEN" not in isolated.ask("GET", "/boot.ipxe?serial=1").text
        unit = Client(isolated)
        assert unit.start() == unit.state(S.MFG_STARTED) == 204
        assert Client(isolated).passwords().status_code == 403
        assert unit.passwords().status_code == 200
        unit.finish()
        unit.restored()
        assert isolated.document() is DocumentStatus.RELEASED


def test_no_secret_is_in_the_store(factory: Factory) -> None:
    unit, token = Client(factory), factory.token()
    unit.start(token)
    unit.state(S.MFG_STARTED)
    unit.passwords()
    content = b"".join(path.read_bytes() for path in (factory.folder / "store").iterdir())
    assert SERIAL.encode() in content
    for secret in (token, unit.secret):
        assert secret.reveal().encode() not in content
