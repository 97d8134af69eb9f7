"""What the documents show runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gprov.domain.branding import Branding
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.platform.default_table import default_table

ROOT = Path(__file__).parents[3]


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = blocks("README.md", "python")
    exec(compile(first, "README.md", "exec"), {})
    assert capsys.readouterr().out.index(".10.upd") < 60
    exec(compile(second, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Stop.REBOOT Stop.REBOOT Stop.SWITCHED_ROOT\n")


def test_the_example_for_adopters_runs() -> None:
    [text] = blocks("docs/platforms.md", "python")
    names: dict[str, object] = {"__file__": str(ROOT / "start.py")}
    exec(compile(text, "docs/platforms.md", "exec"), names)
    assert {"platforms", "main"} <= names.keys()


def test_the_example_of_manufdata_is_valid() -> None:
    [text] = blocks("docs/manufdata.md", "json")
    manuf = parse_manuf("docs/manufdata.md", text.encode(), Branding(), {one.code_name for one in default_table()})
    assert manuf.warnings == ()


def test_links_in_documents_lead_to_files() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
