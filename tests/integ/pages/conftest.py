"""A browser, and a server whose units are in every situation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.integ.pages.browsing import OPTIONS, Window
from tests.integ.pages.stage import PageServer, a_day_on_the_line, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is open, this thread has a running event loop, and tests elsewhere begin loops of their own."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """Not to be changed by tests."""
    with running(tmp_path_factory.mktemp("line")) as server:
        a_day_on_the_line(server, done=3, days=2)
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PageServer]:
    with running(tmp_path / "data") as server:
        yield server


@pytest.fixture
def window(browser: Browser) -> Iterator[Window]:
    """With JavaScript, 1280 by 800, light."""
    shown = Window(browser)
    yield shown
    shown.close()
