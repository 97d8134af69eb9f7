"""People in Chromium: signing in, seeing passwords of a unit, and a page of another site that tries to act for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.container import server_container
from gprov.apps.server.secrets.audit_trail import entries
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.factory.accounts import Role
from gprov.domain.factory.audit import Actor, AuditAction
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.unit.credentials import Secret
from gprov.ports.factory import Start
from tests.integ.pages.browsing import Window
from tests.integ.pages.stage import MINUTE, PageServer, UnitOnLine, running

PASSWORD = "correct horse battery"
SETTINGS = ServerSettings(access=Access(mode=AccessMode.ACCOUNTS))


@dataclass
class Line:
    server: PageServer
    password: str

    def actions(self) -> list[tuple[AuditAction, str]]:
        container = server_container(str(self.server.folder), FakeKeys(), SETTINGS)
        with closing(container.database()) as database, database.read() as db:
            return [(entry.action, entry.actor.who) for entry in entries(db)]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with running(Path(tmp_path_factory.mktemp("people")), SETTINGS) as server:
        container = server_container(str(server.folder), FakeKeys(), SETTINGS)
        set_value(container.now, lambda: server.now_ns)
        with closing(container.database()):
            container.accounts().add("anna", Role.MANAGE, Secret(PASSWORD), Actor("root"))
            token = container.gate().issue("SN1", Actor("root"), 3600 * 10**9)
        unit = UnitOnLine(server, "SN1")
        unit.client.start("SN1", Start(token=token, key="ab" * 32))
        unit.begin()
        yield Line(server, unit.client.credentials("SN1").os.reveal())


def sign_in(page: Page, line: Line) -> None:
    line.server.later(MINUTE)  # attempts are limited
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_sees_passwords_for_a_reason_and_signs_out(
    browser: Browser, line: Line, scripts: bool
) -> None:
    window = Window(browser, scripts=scripts)
    page = window.open(f"{line.server.url}/view/SN1/")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    sign_in(page, line)
    assert page.url == f"{line.server.url}/view/SN1/"
    page.get_by_role("link", name="Passwords and access").click()
    section = page.get_by_role("region", name="Passwords", exact=True)
    section.get_by_label("Reason").fill("support case 7")
    section.get_by_role("button", name="Show passwords").click()
    assert line.password in page.locator("table").inner_text()
    assert line.actions()[-1] == (AuditAction.REVEALED, "anna")
    page.get_by_role("link", name="Done").click()
    assert line.password not in page.content()
    page.get_by_role("link", name="anna").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    page.go_back()
    page.reload()
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    window.close()
    assert window.complaints == []


def test_a_page_of_another_site_changes_nothing(browser: Browser, line: Line) -> None:
    window = Window(browser)
    page = window.open(f"{line.server.url}/sign-in/")
    sign_in(page, line)
    before = line.actions()
    action = f"{line.server.url}/unit-access/change/?serial=SN1"
    form = (
        f'<form method="post" action="{action}"><input name="what" value="rotated"><input name="reason" value="x">'
        f'<input name="token" value="{"0" * 32}"></form><script>document.forms[0].submit()</script>'
    )
    page.route("http://other.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://other.example/")
    page.wait_for_url(f"{line.server.url}/**")
    assert line.actions() == before
    window.close()


@pytest.mark.parametrize("path", ["/sign-in/", "/account/", "/accounts/", "/audit/", "/unit-access/?serial=SN1"])
def test_pages_of_accounts_are_for_everyone(browser: Browser, line: Line, path: str) -> None:
    window = Window(browser, width=320)
    page = window.open(f"{line.server.url}/sign-in/")
    sign_in(page, line)
    window.open(f"{line.server.url}{path}")
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in {"serious", "critical"}]
    assert found == []
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, "the page scrolls sideways on a phone"
    window.close()
    assert window.complaints == []
