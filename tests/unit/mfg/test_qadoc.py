"""The QA document: HTML in which no value of the hardware is markup."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gprov.domain.mfg.qadoc import qa_document
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Cpus, Inventory


class Page(HTMLParser):
    """Tags of a page, and the text of its cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    @override
    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


@given(st.text(max_size=20))
def test_values_are_text_and_never_markup(value: str) -> None:
    unit = Unit(platform=default_table()[0], manufacturer="<b>ACME</b>", product=value, sku="&amp;", serial="S1")
    inventory = Inventory(Cpus(("<script>",), 4, 1), 1 << 30, (), ())
    page = Page(qa_document(unit, inventory, [], [], ["/mnt/Image/a<i>.upd"]))
    assert set(page.tags) == {"html", "head", "meta", "title", "body", "h1", "table", "tr", "th", "td"}
    rows = dict(zip(page.cells[::2], map(str.strip, page.cells[1::2]), strict=True))
    assert rows["Serial number"] == "S1"
    assert rows["Manufacturer"] == "<b>ACME</b>"
    assert rows["SKU"] == "&amp;"
    assert rows["Processors"] == "1 x <script>"
    assert rows["Image"] == "a<i>.upd"
