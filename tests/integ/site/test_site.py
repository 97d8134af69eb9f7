"""``make docs``: the built pages, read by other programs. Nothing in them is loaded from another site."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, expect
from typing_extensions import override

from tools.site.assemble import ROOT, assemble, documents, pages

# Elements by which a browser loads something, and the attribute that says what.
_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "link": "href"}
_BLOCKS = ("h1", "h2", "h3", "li", "ol", "ul", "pre", "table", "tr")


@dataclass
class Page(HTMLParser):
    """``loaded``: addresses that a browser fetches by itself; ``links``: those that a person may follow. ``blocks``:
    elements of the content alone."""

    loaded: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    blocks: Counter[str] = field(default_factory=Counter)
    inside: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _LOADING and values.get(_LOADING[tag]) and values.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(str(values[_LOADING[tag]]))
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if values.get("id"):
            self.ids.add(str(values["id"]))
        self.classes.update((values.get("class") or "").split())
        if tag == "article":
            self.inside += 1
        if self.inside and tag in _BLOCKS:
            self.blocks[tag] += 1

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.inside -= 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network. Its tools are installed before, if they are missing."""
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run(["make", "-s", ".venv-docs/ready"], cwd=ROOT, check=True)
    assemble(folder / "pages")
    config = folder / "mkdocs.yml"
    config.write_text(f"INHERIT: {ROOT}/mkdocs.yml\ndocs_dir: pages\nsite_dir: site\n")
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    built = subprocess.run(
        [*alone, str(ROOT / ".venv-docs/bin/mkdocs"), "build", "--strict", "-f", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def built(site: Path) -> Mapping[str, Page]:
    found = {}
    for path in sorted(site.rglob("*.html")):
        page = found[path.relative_to(site).as_posix()] = Page()
        page.feed(path.read_text())
    return found


def test_every_page_is_built(built: Mapping[str, Page]) -> None:
    wanted = {re.sub(r"\.md$", ".html", place) for place, _ in pages()}
    assert set(built) == {*wanted, "404.html"}


def test_nothing_is_loaded_from_another_site(site: Path, built: Mapping[str, Page]) -> None:
    for name, page in built.items():
        assert [address for address in page.loaded if urlsplit(address).netloc] == [], name
        assert "mermaid" not in page.classes  # the one thing for which the theme's script fetches another
    styles = [path.read_text() for path in site.rglob("*.css")]
    assert styles
    for text in styles:
        assert re.findall(r"@import[^;]+|url\(\s*[\"']?(?:https?:)?//[^)]+", text) == []


def test_links_and_anchors_lead_somewhere(site: Path, built: Mapping[str, Page]) -> None:
    checked = 0
    for name, page in built.items():
        if name == "404.html":  # its links are absolute
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path))) if parts.path else name
            assert (site / target).is_file() or (site / target / "index.html").is_file(), f"{name}: {link}"
            if parts.fragment and target in built:
                assert unquote(parts.fragment) in {*built[target].ids, "__top"}, f"{name}: {link}"
            checked += 1
    assert checked > 5000


@pytest.mark.parametrize("source", documents())
def test_a_page_has_the_blocks_of_its_document(source: str, built: Mapping[str, Page]) -> None:
    """Lists, tables and code, as a renderer of CommonMark finds them in the repository's document."""
    rendered = Page(inside=1)
    rendered.feed(MarkdownIt("commonmark").enable("table").render((ROOT / source).read_text()))
    page = built[re.sub(r"\.md$", ".html", documents()[source])]
    assert page.blocks == rendered.blocks


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """URL of the site on a web server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietFiles, directory=str(site)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class QuietFiles(SimpleHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_browser_finds_a_page_and_asks_no_other_site(address: str, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/index.html")
    page.get_by_placeholder("Search").click()
    page.get_by_placeholder("Search").press_sequentially("positive evidence")
    page.locator("a[href*='explanation/promises.html']:visible", has_text="positive evidence").first.click()
    expect(page).to_have_url(re.compile("explanation/promises.html"))
    page.goto(f"{address}/reference/displays.html")
    page.close()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
