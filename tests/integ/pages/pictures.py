"""Pictures of pages for the documentation: ``python -m tests.integ.pages.pictures docs/pictures``."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.integ.pages.browsing import OPTIONS, Scheme, Window
from tests.integ.pages.stage import a_day_on_the_line, running


@dataclass(frozen=True, kw_only=True)
class Picture:
    """``whole``: the page to its end, else what the window shows."""

    name: str
    path: str
    size: tuple[int, int] = (1280, 820)
    scheme: Scheme = "light"
    whole: bool = False


PICTURES = (
    Picture(name="server-units", path="/recent/"),
    Picture(name="server-unit", path="/view/GP2611-04207/", whole=True),
    Picture(name="server-line", path="/line/", size=(1600, 900), scheme="dark"),
    Picture(name="server-figures", path="/figures/?span=7d", whole=True),
    Picture(name="server-units-narrow", path="/recent/?state=attention", size=(360, 900)),
)


def make_pictures(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as data, running(Path(data)) as server, sync_playwright() as started:
        a_day_on_the_line(server)
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        for picture in PICTURES:
            width, height = picture.size
            window = Window(chromium, width=width, height=height, scheme=picture.scheme, quiet=True)
            with closing(window):
                page = window.open(f"{server.url}{picture.path}")
                if page.locator("#live-word").count():
                    expect(page.locator("#live-word")).to_have_text("Live, as of")
                page.screenshot(path=str(folder / f"{picture.name}.png"), full_page=picture.whole)
        chromium.close()


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]))
