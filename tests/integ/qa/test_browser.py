"""The QA document in a real browser: hostile values stay text, and each page of paper names the unit."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from typing_extensions import override

from gprov.apps.host.cli.qa_sample import DISK, RECORD
from gprov.domain.mfg.qa.document import qa_document
from gprov.domain.mfg.qa.page import STANDARD_PAGE, standard_template
from gprov.domain.mfg.qa.record import CommandRecord, QaRecord, StepRecord
from gprov.domain.mfg.qa.template import parse_template

HOSTILE = (
    "<script>document.title='OWNED'</script>",
    "<img src=x onerror=\"document.title='OWNED'\">",
    "</td></tr></table><h1>OWNED</h1>",
    "<svg/onload=document.title='OWNED'>",
    "--><b>OWNED</b><!--",
    "</title><style>body{display:none}</style>",
)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000")


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.title = ""
        self._open = ""
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        self._open = tag

    @override
    def handle_data(self, data: str) -> None:
        if self._open == "title":
            self.title += data

    @override
    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def browse(tmp_path: Path, page: str, *options: str) -> str:
    """What Chromium says about the page."""
    file = tmp_path / "page.htm"
    file.write_text(page)
    argv = ("chromium", *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", *options, file.as_uri())
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout


def hostile_record() -> QaRecord:
    steps = tuple(StepRecord(text, text, (CommandRecord(text, 0, text, 1.0),)) for text in HOSTILE)
    disks = tuple((text, replace(DISK, node=text, model=text, serial=text)) for text in HOSTILE)
    return replace(
        RECORD,
        unit=replace(RECORD.unit, product=HOSTILE[0], manufacturer=HOSTILE[1], sku=HOSTILE[5]),
        hardware=replace(RECORD.hardware, disks=disks),
        steps=steps,
    )


def test_hostile_values_make_no_element_and_run_no_script(tmp_path: Path) -> None:
    """Without the policy against scripts, which would hide what the escaping lets through."""
    lines = [line for line in STANDARD_PAGE.splitlines() if "Content-Security-Policy" not in line]
    unprotected = parse_template(
        "unprotected", "\n".join(lines).replace("{{serial}}<", "{{product}} {{serial}}<").encode()
    )
    seen = Elements(browse(tmp_path, qa_document(hostile_record(), unprotected), "--dump-dom"))
    harmless = Elements(browse(tmp_path, qa_document(RECORD, unprotected), "--dump-dom"))
    assert seen.found.keys() == harmless.found.keys()
    for tag in ("script", "img", "svg", "b", "h1", "style", "table"):
        assert seen.found[tag] == harmless.found[tag], tag
    assert "OWNED" in seen.title
    assert seen.title.endswith("SN-0042")


def test_each_page_of_paper_names_the_unit(tmp_path: Path) -> None:
    command = CommandRecord("./tool --option value", 0, "MustSucceed", 0.1)
    steps = tuple(StepRecord("BeforeImaging", f"step {number}", (command,)) for number in range(200))
    pdf = tmp_path / "page.pdf"
    browse(
        tmp_path,
        qa_document(replace(RECORD, steps=steps), standard_template()),
        f"--print-to-pdf={pdf}",
        "--no-pdf-header-footer",
    )
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
    pages = text.rstrip("\f").split("\f")
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert page.lstrip().startswith("QA of SN-0042, QEMU-mfg-test")
        assert page.replace(" ", "").rstrip().endswith(f"{number}/{len(pages)}")
    assert "Released by" in pages[-1]
    assert sum(page.count("BeforeImaging") for page in pages) == 200
    assert sum("Exit status" in page for page in pages) >= 3
