"""Pages of a server with accounts, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from gprov.domain.events import LogLine
from gprov.domain.factory.accounts import Role
from gprov.domain.factory.audit import Actor
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.unit.credentials import Secret
from tests.integ.pages.browsing import Window
from tests.integ.pages.stage import GENEROUS, PageServer, UnitOnLine, running

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    settings = ServerSettings(access=Access(mode=AccessMode.ACCOUNTS), limits=GENEROUS)
    with running(tmp_path_factory.mktemp("guarded"), settings) as server:
        for name, role in (("anna", Role.MANAGE), ("vera", Role.VIEW)):
            server.accounts.add(name, role, Secret(PASSWORD), Actor("test"))
        UnitOnLine(server, "SN-1").report(LogLine("x"))
        yield server


def sign_in(page: Page, server: PageServer, name: str) -> None:
    page.goto(f"{server.url}/recent/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Units")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_serious_against_pages_of_people(guarded: PageServer, browser: Browser, scheme: str) -> None:
    window = Window(browser, scheme="dark" if scheme == "dark" else "light", quiet=True)
    page = window.page
    page.goto(f"{guarded.url}/sign-in/")
    found = {"/sign-in/": serious(page)}
    sign_in(page, guarded, "anna")
    for path in ("/account/", "/accounts/", "/audit/", "/unit-access/?serial=SN-1", "/view/SN-1/", "/recent/"):
        reply = page.goto(f"{guarded.url}{path}")
        assert reply is not None
        assert reply.status == 200, path
        found[path] = serious(page)
    assert {path: each for path, each in found.items() if each} == {}
    assert window.complaints == []
    window.close()


def serious(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [each["id"] for each in violations if each["impact"] in {"serious", "critical"}]


def test_pages_show_who_is_signed_in_and_what_they_may_do(guarded: PageServer, browser: Browser) -> None:
    for name, may in (("anna", True), ("vera", False)):
        window = Window(browser, width=320, height=700)
        page = window.page
        sign_in(page, guarded, name)
        expect(page.locator(".person")).to_contain_text(name)
        page.goto(f"{guarded.url}/view/SN-1/")
        assert (page.get_by_role("navigation", name="Actions").count() > 0) == may
        assert (page.get_by_role("link", name="Accounts").count() > 0) == may
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        window.close()


def test_a_live_page_says_that_its_person_is_signed_out(guarded: PageServer, browser: Browser) -> None:
    window = Window(browser)
    page = window.page
    sign_in(page, guarded, "vera")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    page.context.clear_cookies()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#live-word")).to_have_text("You are signed out: reload this page. As of")
    window.close()
