"""People and programs on a server with accounts: over HTTP, with a clock that the test sets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.access.account_passwords import AccountPasswords
from gprov.apps.server.container import server_container
from gprov.apps.server.secrets.audit_trail import entries
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.factory.accounts import Role
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.unit.credentials import Secret
from tests.integ.server.test_thefts import MINUTE, SERIAL, Client
from tests.integ.server.test_thefts import Factory as UnitFactory

ROOT = Actor("root")
PASSWORD = "correct horse battery"
HOUR = 60 * MINUTE
OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Factory:
    """``peer``: address of all clients."""

    folder: Path
    mode: AccessMode = AccessMode.ACCOUNTS
    now_ns: int = 1_750_000_000_000_000_000
    peer: str = "10.1.0.7"

    def __post_init__(self) -> None:
        settings = replace(ServerSettings(), access=Access(mode=self.mode, behind_proxy=True))
        container = server_container(str(self.folder), FakeKeys(), settings)
        set_value(container.now, lambda: self.now_ns)
        set_value(container.account_passwords, AccountPasswords(PasswordHasher(1, 8, 1)))  # fast
        self.database, self.services, self.app = container.database(), container.services(), container.app()
        self.accounts, self.trail = container.accounts(), container.trail()

    def actions(self) -> list[tuple[AuditAction, str, str, str]]:
        with self.database.read() as db:
            return [(entry.action, entry.actor.who, entry.actor.reason, entry.detail) for entry in entries(db)]


@dataclass
class Browser:
    """Keeps cookies; follows nothing."""

    factory: Factory
    cookies: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: OWN)

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.factory.app, client=(self.factory.peer, 5))
            async with httpx.AsyncClient(
                transport=transport, base_url="https://factory", cookies=self.cookies, headers=dict(self.headers)
            ) as client:
                reply = await client.request(method, path, data=form)
                self.cookies = dict(client.cookies)
                return reply

        return asyncio.run(exchange())

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def sign_in(self, name: str, password: str = PASSWORD, after: str = "/") -> httpx.Response:
        return self.ask("POST", "/sign-in/", {"name": name, "password": password, "next": after})

    def post(self, path: str, page: str = "", **form: str) -> httpx.Response:
        """With the token of the form on a page."""
        shown = self.get(page or path).text
        found = re.search('name="token" value="([0-9a-f]+)"', shown)
        assert found, shown
        return self.ask("POST", path, {"token": found[1], **form})


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    made = Factory(tmp_path)
    with closing(made.database):
        for role in reversed(Role):
            made.accounts.add(f"{role.value}er", role, Secret(PASSWORD), ROOT)
        yield made


def signed_in(factory: Factory, name: str) -> Browser:
    browser = Browser(factory)
    assert browser.sign_in(name).status_code == 303
    return browser


READING = (
    "/recent/",
    "/line/",
    "/figures/",
    "/view/SN1/",
    "/api/v1/units",
    "/api/v1/unit?serial=1",
    "/api/v1/events?serial=1",
    "/api/v1/document?serial=1&name=x",
    "/api/v1/erasures?serial=1",
    "/erasure?serial=1",
    "/erasure/1",
)


def test_without_signing_in_nothing_is_read(factory: Factory) -> None:
    """All routes: test_route_rules."""
    browser = Browser(factory)
    for path in READING:
        reply = browser.get(path)
        assert reply.status_code == (401 if path.startswith("/api/") else 303), path


def test_a_person_signs_in_and_out(factory: Factory) -> None:
    browser = Browser(factory)
    refused = browser.get("/recent/?word=failed")
    assert refused.headers["location"] == "/sign-in/?next=%2Frecent%2F%3Fword%3Dfailed"
    reply = browser.sign_in("viewer", after="/recent/?word=failed")
    assert (reply.status_code, reply.headers["location"]) == (303, "/recent/?word=failed")
    cookie = reply.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert part in cookie
    token = browser.cookies["__Host-gprov-session"]
    assert re.fullmatch("[0-9a-f]{64}", token)
    store = b"".join(path.read_bytes() for path in (factory.folder / "store").iterdir())
    assert token.encode() not in store
    assert PASSWORD.encode() not in store
    assert "viewer" in browser.get("/recent/").text
    assert browser.post("/sign-out/", "/account/").status_code == 303
    browser.cookies["__Host-gprov-session"] = token
    assert browser.get("/recent/").status_code == 303, "the session has ended on the server"


def test_where_to_go_after_signing_in_is_on_this_server(factory: Factory) -> None:
    for address in ("//evil.example/", "https://evil.example/", "/\\evil.example", "recent/", "/a\r\nSet-Cookie: x=1"):
        assert Browser(factory).sign_in("viewer", after=address).headers["location"] == "/"


def test_sessions_end(factory: Factory) -> None:
    idle, busy = signed_in(factory, "viewer"), signed_in(factory, "viewer")
    for _ in range(13):
        assert busy.get("/recent/").status_code == 200
        factory.now_ns += 55 * MINUTE
    assert idle.get("/recent/").status_code == 303
    assert busy.get("/recent/").status_code == 200
    factory.now_ns += 6 * MINUTE
    busy.get("/recent/")
    factory.now_ns += 6 * MINUTE
    assert busy.get("/recent/").status_code == 303, "12 h in any case"


def test_sign_out_everywhere_and_another_password_end_all_sessions(factory: Factory) -> None:
    one, other = signed_in(factory, "viewer"), signed_in(factory, "viewer")
    one.post("/sign-out-everywhere/", "/account/")
    assert other.get("/recent/").status_code == 303
    one, other = signed_in(factory, "viewer"), signed_in(factory, "viewer")
    factory.now_ns += 5 * MINUTE
    assert one.post("/account/", password="wrong", fresh="staple battery horse").status_code == 422
    assert one.post("/account/", password=PASSWORD, fresh="short").status_code == 422
    assert one.post("/account/", password=PASSWORD, fresh="staple battery horse").status_code == 303
    assert other.get("/recent/").status_code == 303
    assert Browser(factory).sign_in("viewer").status_code == 401
    assert Browser(factory).sign_in("viewer", "staple battery horse").status_code == 303


def test_guessing_is_slowed_and_locks_no_person_out(factory: Factory) -> None:
    guesses = [Browser(factory).sign_in("viewer", f"guess {number}").status_code for number in range(8)]
    assert guesses == [401] * 5 + [429] * 3
    assert Browser(factory).sign_in("viewer").status_code == 429, "this address has to wait"
    factory.peer = "10.1.0.8"
    assert Browser(factory).sign_in("viewer").status_code == 303, "another one has not"
    factory.peer, factory.now_ns = "10.1.0.7", factory.now_ns + 31 * 10**9
    assert Browser(factory).sign_in("viewer").status_code == 303
    failed = [entry for entry in factory.actions() if entry[0] is AuditAction.SIGN_IN_FAILED]
    assert len(failed) == 5
    assert failed[0][1:] == ("a person at 10.1.0.7", "", "as 'viewer'")


def test_many_names_from_one_address_are_slowed_too(factory: Factory) -> None:
    statuses = [Browser(factory).sign_in(f"name{number}").status_code for number in range(22)]
    assert statuses == [401] * 20 + [429] * 2


def test_roles(factory: Factory) -> None:
    Client(_units(factory)).provision()
    pages = {"/unit-access/?serial=SN+1%2FA": Role.OPERATE, "/audit/": Role.OPERATE, "/accounts/": Role.MANAGE}
    for role in Role:
        browser = signed_in(factory, f"{role.value}er")
        for path, needed in pages.items():
            assert browser.get(path).status_code == (200 if role.includes(needed) else 403), (role, path)
        links = browser.get("/recent/").text
        assert ("/accounts/" in links) == role.includes(Role.MANAGE)
        page = browser.get("/view/?serial=SN+1%2FA").text
        assert ("/unit-access/" in page) == role.includes(Role.OPERATE)


REVEAL = "/unit-access/reveal/?serial=SN+1%2FA"
UNIT = "/unit-access/?serial=SN+1%2FA"
CHANGE = "/unit-access/change/?serial=SN+1%2FA"


def test_passwords_are_shown_once_for_a_reason(factory: Factory) -> None:
    password = Client(_units(factory)).provision()
    for path in (UNIT, "/view/?serial=SN+1%2FA", "/audit/", "/api/v1/unit?serial=SN+1%2FA"):
        assert password not in signed_in(factory, "manageer").get(path).text
    person = signed_in(factory, "revealer")
    assert person.post(REVEAL, UNIT, reason=" ").status_code == 422
    shown = person.post(REVEAL, UNIT, reason="support case 7")
    assert password in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert factory.actions()[-1] == (AuditAction.REVEALED, "revealer", "support case 7", "bios 1, ipmi 1, os 1")
    assert "support case 7" in person.get("/audit/?action=revealed").text
    operator = signed_in(factory, "operateer")
    token = re.search('name="token" value="([0-9a-f]+)"', operator.get(UNIT).text)
    assert token
    assert operator.ask("POST", REVEAL, {"token": token[1], "reason": "x"}).status_code == 403


def test_a_theft_is_handled_on_the_page(factory: Factory) -> None:
    units = _units(factory)
    unit, thief = Client(units), Client(units)
    stolen = unit.provision()
    thief.start(units.token())
    unit.finish()
    unit.restored()
    person = signed_in(factory, "operateer")
    assert "has to look" in person.get(UNIT).text
    assert "has to look" in person.get("/view/?serial=SN+1%2FA").text
    assert "waiting for a person" in person.get("/view/?serial=SN+1%2FA").text
    assert person.post(CHANGE, UNIT, what="looked", reason="it was a test").status_code == 303
    assert "has to look" not in person.get(UNIT).text
    released = person.post(CHANGE, UNIT, what="released", document="qav.htm", reason="fine")
    assert released.headers["location"] == "/unit-access/?serial=SN+1%2FA&done=released"
    assert units.document() is DocumentStatus.RELEASED
    assert person.post(CHANGE, UNIT, what="released", document="qav.htm", reason="again").status_code == 422
    assert "new passwords: those" not in person.get(UNIT).text, "this role has no choice: it would be a way to see them"
    assert person.post(CHANGE, UNIT, what="reopened", reason="again").status_code == 303
    assert Client(units).provision() != stolen
    assert person.post(CHANGE, UNIT, what="rotated", reason="to be sure").status_code == 303
    assert person.post(CHANGE, UNIT, what="erase", reason="no").status_code == 404
    done = [action for action, who, *_ in factory.actions() if who == "operateer"][1:]
    expected = [AuditAction.LOOKED_AT, AuditAction.DOCUMENT_RELEASED, AuditAction.REOPENED, AuditAction.ROTATION]
    assert done == expected


def test_a_person_issues_a_token(factory: Factory) -> None:
    units = _units(factory)
    Client(units).start()
    shown = signed_in(factory, "operateer").post("/unit-access/token/?serial=SN+1%2FA", UNIT, hours="2").text
    found = re.search("PROVISION_TOKEN=([0-9a-f]{32})", shown)
    assert found
    assert Client(units).start(Secret(found[1])) == 204


@pytest.mark.parametrize(
    "hours", ["0", "745", "000000001999", "0000000019999999999", "-1", "1.5", "1e2", " 2 4", "\u0663"]
)
def test_no_token_lasts_longer_than_a_month(factory: Factory, hours: str) -> None:
    Client(_units(factory)).start()
    reply = signed_in(factory, "operateer").post("/unit-access/token/?serial=SN+1%2FA", UNIT, hours=hours)
    assert (reply.status_code, "PROVISION_TOKEN" in reply.text) == (422, False)


@pytest.mark.parametrize("days", ["3661", "00000000199999999999", "000000036501000", "-1"])
def test_no_token_of_a_program_lasts_longer_than_ten_years(factory: Factory, days: str) -> None:
    manager = signed_in(factory, "manageer")
    reply = manager.post("/accounts/token/", "/accounts/", name="exporter", role="view", days=days)
    assert reply.status_code == 422
    assert factory.accounts.tokens() == ()


PLACES = ("9" * 19 + "-1", f"1-{2**63}", "9" * 5000, f"{'9' * 5000}-1")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[:25])
def test_places_of_pages_that_no_page_has_are_refused(factory: Factory, place: str) -> None:
    Client(_units(factory)).start()
    person = signed_in(factory, "viewer")
    assert person.get(f"/recent/?after={place}").status_code == 422
    for way in ("before", "after"):
        assert person.get(f"/view/SN1/?{way}={place}").status_code in (404, 422)
        assert person.get(f"/view/?serial=SN+1%2FA&{way}={place}").status_code == 422


def test_who_may_see_passwords_may_keep_them(factory: Factory) -> None:
    units = _units(factory)
    kept = Client(units).provision()
    person = signed_in(factory, "revealer")
    assert person.post(CHANGE, UNIT, what="reopened", reason="bench 7").status_code == 303
    again = Client(units)
    assert again.provision() == kept
    assert person.post(CHANGE, UNIT, what="reopened", reason="bench 7", replace="1").status_code == 303
    assert Client(units).provision() != kept


def test_forms_hold_no_nul(factory: Factory) -> None:
    """PostgreSQL takes none: it would look like a store that has failed."""
    assert Browser(factory).sign_in("view\0er").status_code == 422
    manager = signed_in(factory, "manageer")
    assert manager.post("/accounts/", what="remove-token", name="x\0").status_code == 422
    assert "store cannot be read" not in manager.post("/accounts/", what="remove-token", name="x").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_forms_of_other_sites_are_refused(factory: Factory, site: str) -> None:
    Client(_units(factory)).provision()
    browser = signed_in(factory, "manageer")
    for path in (CHANGE, REVEAL, "/accounts/", "/sign-out/", "/accounts/token/"):
        assert browser.ask("POST", path, {"reason": "x", "what": "rotated"}).status_code == 403, "no token"
        assert browser.ask("POST", path, {"token": "0" * 32, "reason": "x"}).status_code == 403
    other = signed_in(factory, "viewer")
    stolen = re.search('name="token" value="([0-9a-f]+)"', other.get("/account/").text)
    assert stolen
    assert browser.ask("POST", "/sign-out/", {"token": stolen[1]}).status_code == 403, "of another session"
    browser.headers = {"Sec-Fetch-Site": site}
    assert browser.post("/sign-out/", "/account/").status_code == 403
    assert browser.sign_in("manageer").status_code == 403


def test_accounts_are_managed(factory: Factory) -> None:
    manager = signed_in(factory, "manageer")
    added = {"what": "add", "name": "anna", "role": "operate", "password": PASSWORD}
    assert manager.post("/accounts/", **added).status_code == 303
    assert manager.post("/accounts/", **added).status_code == 422
    anna = signed_in(factory, "anna")
    assert manager.post("/accounts/", what="role", name="anna", role="view").status_code == 303
    assert anna.get("/audit/").status_code == 403, "at once"
    assert manager.post("/accounts/", what="password", name="anna", password="staple battery horse").status_code == 303
    assert anna.get("/recent/").status_code == 303
    assert manager.post("/accounts/", what="remove", name="anna").status_code == 303
    assert Browser(factory).sign_in("anna", "staple battery horse").status_code == 401
    assert manager.post("/accounts/", what="remove", name="manageer").status_code == 422, "one must manage"
    assert manager.post("/accounts/", what="role", name="manageer", role="view").status_code == 422


def test_programs_read_with_a_token(factory: Factory) -> None:
    manager = signed_in(factory, "manageer")
    shown = manager.post("/accounts/token/", "/accounts/", name="exporter", role="view", days="1").text
    found = re.search("Authorization: Bearer ([0-9a-f]{64})", shown)
    assert found
    program = Browser(factory, headers={"Authorization": f"Bearer {found[1]}"})
    assert program.get("/api/v1/units").json() == {"units": []}
    assert program.get("/audit/").status_code == 403
    assert program.ask("POST", "/sign-out/", {"token": ""}).status_code == 403, "no form"
    assert manager.post("/accounts/token/", "/accounts/", name="x", role="reveal", days="1").status_code == 422
    factory.now_ns += 25 * HOUR
    assert program.get("/api/v1/units").status_code == 401
    manager = signed_in(factory, "manageer")
    assert manager.post("/accounts/", what="remove-token", name="exporter").status_code == 303
    assert Browser(factory, headers={"Authorization": "Bearer x"}).get("/api/v1/units").status_code == 401


def test_an_isolated_network_shows_what_that_means_and_changes_nothing_by_pages(tmp_path: Path) -> None:
    isolated = Factory(tmp_path, AccessMode.ISOLATED)
    with closing(isolated.database):
        browser = Browser(isolated)
        for path in ("/recent/", "/line/", "/sign-in/"):
            page = browser.get(path)
            assert page.status_code == 200
            assert "Isolated network: everyone" in page.text
        for path in (REVEAL, CHANGE, "/accounts/", "/sign-out/"):
            assert browser.ask("POST", path, {"token": "", "reason": "x"}).status_code == 403
        assert browser.get("/audit/").status_code == 403


def test_the_trail_of_all_this_is_whole(factory: Factory) -> None:
    signed_in(factory, "viewer")
    Browser(factory).sign_in("viewer", "wrong")
    with factory.database.read() as db:
        assert not factory.trail.problems(db)
    assert not [entry for entry in factory.actions() if PASSWORD in str(entry)]


def _units(factory: Factory) -> UnitFactory:
    """The side of units of the same server."""
    made = object.__new__(UnitFactory)
    made.folder, made.now_ns = factory.folder, factory.now_ns
    made.app, made.services, made.database = factory.app, factory.services, factory.database
    assert SERIAL
    return made
