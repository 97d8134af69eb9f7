"""Pages that keep themselves up to date, also over a restart of the server."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from gprov.domain.events import LogLine, StateChange
from gprov.domain.events import ProcessState as S
from tests.integ.pages.browsing import Window, words
from tests.integ.pages.stage import MINUTE, PageServer, UnitOnLine
from tests.integ.server.test_server_process import Server


def test_the_list_shows_a_report_by_itself(own_server: PageServer, window: Window) -> None:
    UnitOnLine(own_server, "SN-1").begin()
    page = window.open(f"{own_server.url}/recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    page.evaluate("window.untouched = true")
    page.get_by_label("Serial, MAC or platform").fill("typed meanwhile")

    second = UnitOnLine(own_server, "SN-2")
    second.begin()
    expect(page.locator("table.units tbody tr")).to_have_count(2)
    assert words(page) == {"SN-1": "running", "SN-2": "running"}
    second.fail("SN-2 is not as specified for GP-200 (1 difference(s))")
    row = page.locator("table.units tbody tr", has_text="SN-2")
    expect(row).to_contain_text("Provisioning failed: SN-2 is not as specified")
    expect(row).to_contain_text("To do: Compare required and detected hardware")
    assert words(page) == {"SN-1": "running", "SN-2": "failed"}
    expect(page.get_by_role("status")).to_have_text("SN-2: failed")  # read out to those who do not see it
    assert page.evaluate("window.untouched"), "the page was loaded again"
    assert page.get_by_label("Serial, MAC or platform").input_value() == "typed meanwhile"
    assert window.complaints == []


def test_the_focus_stays_when_its_row_changes(own_server: PageServer, window: Window) -> None:
    unit = UnitOnLine(own_server, "SN-1")
    unit.begin()
    page = window.open(f"{own_server.url}/recent/")
    page.get_by_role("link", name="SN-1").focus()
    unit.fail("SN-1 is not as specified for GP-200 (1 difference(s))")
    expect(page.locator("table.units tbody")).to_contain_text("failed")
    expect(page.get_by_role("link", name="SN-1")).to_be_focused()


def test_time_alone_changes_words(own_server: PageServer, window: Window) -> None:
    UnitOnLine(own_server, "SN-1").begin()
    page = window.open(f"{own_server.url}/recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    own_server.later(11 * MINUTE)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as after 15 seconds
    expect(page.locator("table.units tbody")).to_contain_text("no report for 11 min")


def test_a_report_that_is_behind_by_the_clock_is_shown_too(own_server: PageServer, window: Window) -> None:
    """As of another server, whose clock is slower, or after the clock was set."""
    UnitOnLine(own_server, "SN-1").begin()
    page = window.open(f"{own_server.url}/recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    own_server.later(-MINUTE)
    UnitOnLine(own_server, "SN-2").begin()
    expect(page.locator("table.units tbody")).to_contain_text("SN-2")


def test_a_page_that_is_not_seen_holds_no_connection(own_server: PageServer, window: Window) -> None:
    """A browser opens six connections to a server; more open pages than that would wait for one another."""
    page = window.open(f"{own_server.url}/recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    assert own_server.live_pages == 1
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    change = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true" + change)
    UnitOnLine(own_server, "SN-1").begin()
    own_server.until(lambda: own_server.live_pages == 0)
    assert words(page) == {}
    page.evaluate(hide % "false" + change)
    expect(page.locator("table.units tbody")).to_contain_text("SN-1")
    own_server.until(lambda: own_server.live_pages == 1)


def test_the_page_of_a_unit_shows_its_log_as_it_grows(own_server: PageServer, window: Window) -> None:
    unit = UnitOnLine(own_server, "SN-1")
    unit.begin()
    page = window.open(f"{own_server.url}/view/SN-1/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    unit.report(LogLine("a line that came later"))
    expect(page.locator("#log")).to_contain_text("a line that came later")
    unit.provisioned()
    expect(page.locator("#now")).to_contain_text("waiting for the first restore")
    expect(page.locator("#runs")).to_contain_text("succeeded")
    assert window.complaints == []


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "data")
    with closing(running):
        running.start()
        yield running


def test_a_restart_of_the_server_loses_nothing(process: Server, browser: Browser) -> None:
    """Reports while a page is not connected are shown when it is again, though nothing is reported after that."""
    factory = process.client()
    factory.state("SN-1", S.MFG_STARTED)
    window = Window(browser)
    page = window.open(f"{process.url}recent/")
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    page.context.set_offline(True)
    process.end(signal.SIGKILL)
    process.start()
    factory.state("SN-1", S.MFG_FAILED)
    process.client().state("SN-2", S.MFG_STARTED)
    assert process.end() == 0
    expect(page.locator("#live-word")).to_have_text("Connection lost, trying again. As of")
    process.start()
    page.context.set_offline(False)
    expect(page.locator("table.units tbody tr")).to_have_count(2)
    assert words(page) == {"SN-2": "running", "SN-1": "failed"}
    expect(page.locator("#live-word")).to_have_text("Live, as of")
    window.close()


def test_the_server_ends_at_once_while_pages_are_open(process: Server) -> None:
    """Their streams end: they are not waited for, nor cut after a while with a line in the log."""
    process.client().state("SN-1", S.MFG_STARTED)
    with closing(http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)) as connection:
        connection.request("GET", "/live/")
        reply = connection.getresponse()
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        assert process.end() == 0
        assert b"retry:" in reply.read()
    assert "cut short" not in process.errors


def test_last_event_id(own_server: PageServer) -> None:
    """A browser with the present version hears of the next one only, one with an older version of the present one."""
    unit = UnitOnLine(own_server, "A/B 1")
    unit.begin()
    with ExitStack() as streams:
        others = [streams.enter_context(stream(own_server, topic)) for topic in ("", "A%2FB+1")]
        first, *same = [version_of(reply) for reply in others]
        assert same == [first]
        with stream(own_server, "", known="outdated") as reply:
            assert version_of(reply) == first
        reply = streams.enter_context(stream(own_server, "", known=first))
        of_unit = streams.enter_context(stream(own_server, "A%2FB+1", known=first))
        own_server.later(MINUTE)
        unit.report(StateChange(S.MFG_FAILED))
        second = version_of(reply)
        assert second != first
        assert version_of(of_unit) == second
        UnitOnLine(own_server, "SN-2").begin()
        assert version_of(reply) not in {first, second}
    with stream(own_server, "A%2FB+1", known=first) as of_unit:
        assert version_of(of_unit) == second


@contextmanager
def stream(server: PageServer, topic: str, known: str = "") -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        headers = {"Last-Event-ID": known} if known else {}
        connection.request("GET", f"/live/?topic={topic}&after=ignored", headers=headers)
        reply = connection.getresponse()
        assert reply.status == 200
        yield reply


def version_of(reply: http.client.HTTPResponse) -> str:
    """Of the next event."""
    while line := reply.readline():
        name, _, value = line.decode().strip().partition(": ")
        if name == "id":
            return value
    raise AssertionError("the stream ended without an event")


def test_more_pages_than_there_may_be_ask_at_intervals(tmp_path: Path, browser: Browser) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "server.toml").write_text("[pages]\nlive_pages = 1\n")
    with closing(Server(data)) as server, closing(http.client.HTTPConnection("127.0.0.1", timeout=20)) as first:
        server.start()
        first.port = server.port
        first.request("GET", "/live/")
        assert first.getresponse().status == 200
        status, body, headers = server.ask("/live/")
        assert (status, headers["retry-after"]) == (503, "60")
        assert body == b"1 pages are kept up to date at this time, which is the limit\n"
        window = Window(browser)
        page = window.open(f"{server.url}recent/")
        server.client(os.urandom(16).hex()).state("SN-1", S.MFG_STARTED)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as after 15 seconds
        expect(page.locator("table.units tbody")).to_contain_text("SN-1")
        window.close()
