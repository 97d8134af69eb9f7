"""``gprov manuf qa-page``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main


def test_the_standard_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.htm"
    assert main(["manuf", "qa-page", str(page)]) == 0
    assert "QA of SN-0042" in page.read_text()
    assert capsys.readouterr().out == f"{page}: {len(page.read_text())} characters\n"


def test_a_template_of_an_adopter(tmp_path: Path) -> None:
    template, page = tmp_path / "t.htm", tmp_path / "page.htm"
    template.write_text("<p>{{serial}}</p>")
    assert main(["manuf", "qa-page", str(page), "--template", str(template)]) == 0
    assert page.read_text() == "<p>SN-0042</p>"


def test_a_template_with_problems_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template, page = tmp_path / "t.htm", tmp_path / "page.htm"
    template.write_text("{{serial}}{{a}}\n{{b}}")
    assert main(["manuf", "qa-page", str(page), "--template", str(template)]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[1].startswith("line 2: unknown placeholder {{b}}")
    assert told.err.endswith("2 problem(s)\n")
    assert not page.exists()


def test_a_template_that_does_not_exist(tmp_path: Path) -> None:
    assert main(["manuf", "qa-page", str(tmp_path / "p"), "--template", str(tmp_path / "nosuch")]) == 3
