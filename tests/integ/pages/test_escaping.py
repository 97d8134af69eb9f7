"""Texts of units that try to become part of a page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from gprov.domain.events import LogLine, Severity
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.view.addresses import unit_path
from gprov.domain.mfg.difference import Difference, differences_json
from tests.integ.pages.browsing import Window
from tests.integ.pages.stage import MINUTE, PageServer, UnitOnLine, running

IMAGE = '"><img src=x onerror=alert(1)>'
SCRIPT = "</script><script>alert(2)</script>"
ATTRIBUTE = "' onmouseover='alert(3)' x='"
TEMPLATE = "{{ 7 * 7 }}{% raw %}"
SERIALS = [
    IMAGE,
    SCRIPT,
    ATTRIBUTE,
    TEMPLATE,
    "javascript:alert(4)",
    "../../x",
    "a&lt;b&amp;c",
    "A/B//C",
    "?a=b#c",
    "100%25",
]


def hostile(server: PageServer, serial: str) -> UnitOnLine:
    unit = UnitOnLine(server, serial, f"GP{SCRIPT}")
    unit.report(LogLine(IMAGE), LogLine(SCRIPT, Severity.ERROR), LogLine(f"<svg onload=alert(5)> {TEMPLATE}"))
    unit.begin()
    unit.client.macs(serial, {IMAGE: "56:78:90:00:00:01"}, ["56:78:90:00:00:02"])
    unit.document(f"{SCRIPT}.json", f"<h1>{IMAGE}</h1>{SCRIPT}", DocumentKind.HARDWARE)
    unit.document("d", differences_json("x", [Difference(IMAGE, SCRIPT, ATTRIBUTE)]), DocumentKind.DIFFERENCES)
    unit.passwords()
    unit.fail(f"{IMAGE}{SCRIPT}")
    return unit


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with running(tmp_path_factory.mktemp("hostile")) as server:
        for serial in SERIALS:
            hostile(server, serial)
        yield server


def test_nothing_that_a_unit_sends_becomes_part_of_a_page(hostile_server: PageServer, window: Window) -> None:
    page = window.open(f"{hostile_server.url}/recent/")
    for serial in SERIALS:
        expect(page.get_by_role("link", name=serial, exact=True)).to_have_count(1)
    addresses = ["/recent/", "/line/", "/figures/?span=24h", *(unit_path("view", serial) for serial in SERIALS)]
    for address in addresses:
        page = window.open(f"{hostile_server.url}{address}")
        page.mouse.move(300, 300)
        assert page.locator("main img, main script, main [onerror], main [onload], main [onmouseover]").count() == 0
        assert page.locator("script").count() == 1
    assert window.complaints == []


@pytest.mark.parametrize("serial", [IMAGE, TEMPLATE, "../../x", "A/B//C", "100%25"])
def test_links_lead_to_the_unit_and_show_everything_as_text(
    hostile_server: PageServer, window: Window, serial: str
) -> None:
    page = window.open(f"{hostile_server.url}/recent/")
    page.get_by_role("link", name=serial, exact=True).click()
    expect(page.locator("h1")).to_have_text(f"Unit {serial}")
    main = page.locator("main").inner_text()
    for shown in (IMAGE, SCRIPT, ATTRIBUTE, TEMPLATE, f"GP{SCRIPT}", f"{IMAGE}{SCRIPT}"):
        assert shown in main
    # The form of the log leads back to the same unit.
    page.get_by_label("Text", exact=True).fill("svg onload")
    page.locator("form[aria-label='Filter of the log']").get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_have_text(f"Unit {serial}")
    expect(page.locator("#log tr")).to_have_count(1)
    page.get_by_role("link", name=f"{SCRIPT}.json").click()
    expect(page.locator("pre")).to_have_text(f"<h1>{IMAGE}</h1>{SCRIPT}")
    assert window.complaints == []


def test_live_updates_bring_text_only(own_server: PageServer, window: Window) -> None:
    UnitOnLine(own_server, "SN-1").begin()
    page = window.open(f"{own_server.url}/recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    own_server.later(MINUTE)
    hostile(own_server, IMAGE)
    expect(page.get_by_role("link", name=IMAGE, exact=True)).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text(f"{IMAGE}: failed")
    assert page.locator("main img").count() == 0
    assert window.complaints == []


def test_documents_leave_the_server_as_files_without_rights(line: PageServer, window: Window) -> None:
    """A released QA document is HTML of a unit: a browser saves it, or would show it without rights of our pages."""
    page = window.open(f"{line.url}/view/GP2611-04181/")
    page.get_by_role("link", name="GP2611-04181_qav.htm").click()
    expect(page.locator("pre")).to_contain_text("<script>alert('QA')</script>")
    with page.expect_download() as started:
        page.get_by_role("link", name="Save as a file").click()
    assert started.value.suggested_filename == "GP2611-04181_qav.htm"
    assert b"<script>alert('QA')</script>" in started.value.path().read_bytes()
    address = page.get_by_role("link", name="Save as a file").get_attribute("href")
    with urlopen(f"{line.url}{address}") as reply:
        assert "sandbox" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Content-Disposition"].startswith("attachment")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Type"] == "application/octet-stream"
    assert window.complaints == []


@pytest.mark.parametrize(
    "path", ["/recent/", "/view/GP2611-04207/", "/line/", "/figures/", "/meanings/", "/recent/?since=x"]
)
def test_headers_of_pages(line: PageServer, window: Window, path: str) -> None:
    reply = window.page.goto(f"{line.url}{path}")
    assert reply is not None
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"
    foreign = [each for each in _addresses(window) if not each.startswith((line.url, "data:"))]
    assert foreign == []


def _addresses(window: Window) -> list[str]:
    found: list[str] = window.page.evaluate(
        "[...document.querySelectorAll('[src],[href],[action]')].map(each => each.src || each.href || each.action)"
    )
    return found


def test_a_policy_that_is_broken_would_be_seen(line: PageServer, window: Window) -> None:
    """The browser reports what the policy forbids: that nothing was reported says something."""
    page = window.open(f"{line.url}/recent/")
    with page.expect_console_message():
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b onclick=alert(1)>x</b>')")
        page.locator("b").last.click()
    assert any("Content Security Policy" in each for each in window.complaints), window.complaints
