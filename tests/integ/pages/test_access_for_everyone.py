"""Pages by keyboard, on narrow screens, without JavaScript, in light and dark, and as axe-core judges them."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.integ.pages.browsing import Scheme, Window, words
from tests.integ.pages.stage import PageServer

PAGES = {
    "units": "/recent/",
    "filter with mistakes": "/recent/?since=noon&state=failed",
    "no match": "/recent/?q=nothing+has+this",
    "failed unit": "/view/GP2611-04207/",
    "restored unit": "/view/GP2611-04181/",
    "silent unit": "/view/GP2611-04209/?type=ERROR",
    "document": "/document/?serial=GP2611-04207&number={number}",
    "line": "/line/",
    "figures": "/figures/?span=24h",
    "meanings": "/meanings/",
    "not found": "/view/none/",
}


def address(line: PageServer, window: Window, name: str) -> str:
    if name != "document":
        return f"{line.url}{PAGES[name]}"
    page = window.open(f"{line.url}/view/GP2611-04207/")
    return f"{line.url}{page.get_by_role('link', name='differences.json').get_attribute('href')}"


def show(line: PageServer, window: Window, name: str) -> Page:
    window.page.goto(address(line, window, name))
    return window.page


@pytest.fixture(scope="module", params=["light", "dark"])
def quiet_window(browser: Browser, request: pytest.FixtureRequest) -> Window:
    """Without animations, whose colours are not those of a page."""
    scheme: Scheme = request.param
    return Window(browser, scheme=scheme, quiet=True)


@pytest.mark.parametrize("name", PAGES)
def test_axe_has_nothing_serious(line: PageServer, quiet_window: Window, name: str) -> None:
    page = show(line, quiet_window, name)
    for summary in page.locator("details").all():
        summary.evaluate("each => { each.open = true; }")
    found = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    serious = [each for each in found["violations"] if each["impact"] in {"serious", "critical"}]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in serious] == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}


def test_axe_finds_what_is_wrong(line: PageServer, window: Window) -> None:
    page = show(line, window, "units")
    page.evaluate("document.querySelector('label').remove(); document.documentElement.removeAttribute('lang')")
    found = {each["id"] for each in Axe().run(page).response["violations"]}
    assert {"label", "html-has-lang"} <= found


@pytest.fixture(scope="module")
def narrow_window(browser: Browser) -> Window:
    return Window(browser, width=320, height=700)


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_does_not_scroll_sideways(line: PageServer, narrow_window: Window, name: str) -> None:
    page = show(line, narrow_window, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    scrolling = page.evaluate(
        """[...document.querySelectorAll('.tablebox, .chartbox')].filter(box => box.scrollWidth > box.clientWidth)
            .map(box => box.getAttribute('aria-label') ?? box.className)"""
    )
    assert [each for each in scrolling if "unit's clock" not in each] == []


def test_the_keyboard_reaches_everything(line: PageServer, window: Window) -> None:
    page = show(line, window, "units")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    seen = []
    wanted: int = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, [tabindex=\"0\"]')]"
        ".filter(each => each.checkVisibility()).length"
    )
    for _ in range(wanted):
        seen.append(page.evaluate("document.activeElement.outerHTML"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", seen[-1]
        page.keyboard.press("Tab")
    assert len(set(seen)) == len(seen), "the focus came back before it was everywhere"
    assert sum(each.startswith('<a href="/view/') for each in seen) == len(words(page))


def test_a_unit_is_found_by_keyboard_alone(line: PageServer, window: Window) -> None:
    page = show(line, window, "units")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skips the navigation
    page.keyboard.press("Tab")
    page.keyboard.type("04207")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Units that match")
    assert words(page) == {"GP2611-04207": "failed"}
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.textContent") != "GP2611-04207":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Unit GP2611-04207")
    assert window.complaints == []


def test_without_scripts_pages_have_everything(line: PageServer, browser: Browser, window: Window) -> None:
    plain = Window(browser, scripts=False)
    for name in ("units", "failed unit", "line", "figures"):
        with_scripts = show(line, window, name).locator("main").inner_text()
        assert show(line, plain, name).locator("main").inner_text() == with_scripts, name
    page = show(line, plain, "units")
    assert page.locator("noscript meta[http-equiv=refresh]").get_attribute("content") == "15"
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Show", exact=True).click()
    assert set(words(page).values()) == {"failed", "aborted"}
    page.get_by_role("link", name="Refresh").click()
    assert set(words(page).values()) == {"failed", "aborted"}
    plain.close()


def test_times_are_utc_and_on_request_local(line: PageServer, window: Window) -> None:
    page = show(line, window, "failed unit")
    state = page.locator(".facts dd", has_text="MFG_FAILED")
    expect(state).to_contain_text("2026-11-30 13:18:40")
    page.get_by_role("button", name="Show local times").click()
    expect(state).to_contain_text("2026-11-30 22:18:40")  # Tokyo
    expect(page.locator("#zone")).to_have_text("All times: of this browser's zone")
    page = show(line, window, "units")
    expect(page.locator("table.units time").first).to_have_text("2026-11-30 23:04:55")
    page.get_by_role("button", name="Show UTC").click()
    expect(page.locator("table.units time").first).to_have_text("2026-11-30 14:04:55")


def test_motion_is_reduced_on_request(line: PageServer, browser: Browser) -> None:
    for quiet, name in ((False, "changed"), (True, "none")):
        window = Window(browser, quiet=quiet)
        page = show(line, window, "units")
        page.evaluate("document.querySelector('table.units tbody tr').classList.add('changed')")
        row = "getComputedStyle(document.querySelector('table.units tbody tr')).animationName"
        assert page.evaluate(row) == name
        window.close()
