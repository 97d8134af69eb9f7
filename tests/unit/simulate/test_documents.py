"""What the documents show runs as it stands there."""

from __future__ import annotations

import importlib
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
    assert capsys.readouterr().out.startswith("StopReason.REBOOT StopReason.REBOOT StopReason.SWITCHED_ROOT\n")


def test_the_example_for_adopters_runs() -> None:
    [text] = blocks("docs/platforms.md", "python")
    names: dict[str, object] = {"__file__": str(ROOT / "start.py")}
    exec(compile(text, "docs/platforms.md", "exec"), names)
    assert {"platforms", "main"} <= names.keys()


def test_the_example_of_manufdata_is_valid() -> None:
    [text] = blocks("docs/manufdata.md", "json")
    manuf = parse_manuf("docs/manufdata.md", text.encode(), Branding(), {one.code_name for one in default_table()})
    assert manuf.warnings == ()


# Folders that paths in docs/architecture.md are relative to.
ROOMS = (
    "",
    "gprov",
    "gprov/ports",
    "gprov/adapters/linux",
    "gprov/adapters/fake",
    "gprov/domain/plan",
    "gprov/domain/boot",
)


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md", "examples/adopter/README.md"])
def test_named_files_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"`([\w./]+\.(?:py|toml|md|json)|(?:gprov|tests|apps|domain)/[\w/]+)`", text))
    assert named
    places = [*(ROOT / room for room in ROOMS), (ROOT / document).parent]
    # Names of files that gprov reads or writes elsewhere.
    foreign = {"manufData.json", "appliance.json"}
    assert [name for name in named - foreign if not any((place / name).exists() for place in places)] == []


def test_the_architecture_is_wrapped() -> None:
    lines = (ROOT / "docs/architecture.md").read_text().splitlines()
    assert [line for line in lines if len(line) > 110] == []


def test_the_readme_names_what_can_be_imported() -> None:
    names = re.findall(r"`(gprov(?:\.\w+)+)`", (ROOT / "README.md").read_text())
    assert len(names) > 8
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert name == "gprov.apps" or hasattr(importlib.import_module(module), attribute), name


def test_links_in_documents_lead_to_files() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
