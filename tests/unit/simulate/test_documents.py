"""What the documents show runs as it stands there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.apps.host.cli.commands import COMMANDS
from gprov.apps.host.cli.main import main
from gprov.domain.branding import Branding
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.platform.default_table import default_table
from tools.reference.pages import BUILT_PAGES, COMMITTED_PAGES
from tools.schemas.registry import FILES
from tools.site.assemble import documents as pages_of_the_site

ROOT = Path(__file__).parents[3]


DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "buildroot").glob("*.md"),
    )
)


def links(document: str) -> list[tuple[str, str]]:
    """File and heading of each link that leads to no other site; either may be empty."""
    text = (ROOT / document).read_text()
    return re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", text)


def headings(path: Path) -> set[str]:
    """Headings as links name them."""
    found = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in found}


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = blocks("README.md", "python")
    exec(compile(first, "README.md", "exec"), {})
    assert capsys.readouterr().out.index(".10.upd") < 60
    exec(compile(second, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("StopReason.REBOOT StopReason.REBOOT StopReason.SWITCHED_ROOT\n")


def test_the_example_for_adopters_runs() -> None:
    [text] = blocks("docs/how-to/platforms.md", "python")
    names: dict[str, object] = {"__file__": str(ROOT / "start.py")}
    exec(compile(text, "docs/how-to/platforms.md", "exec"), names)
    assert {"platforms", "main"} <= names.keys()


def test_the_example_of_manufdata_is_valid() -> None:
    [text] = blocks("docs/reference/manufdata.md", "json")
    manuf = parse_manuf("docs/reference/manufdata.md", text.encode(), Branding(), default_table())
    assert manuf.warnings == ()


# Folders that paths in docs/explanation/architecture.md are relative to.
ROOMS = (
    "",
    "gprov",
    "gprov/ports",
    "gprov/adapters/linux",
    "gprov/adapters/fake",
    "gprov/domain/plan",
    "gprov/domain/boot",
)


@pytest.mark.parametrize(
    "document", ["docs/explanation/architecture.md", "CONTRIBUTING.md", "examples/adopter/README.md"]
)
def test_named_files_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"`([\w./]+\.(?:py|toml|md|json)|(?:gprov|tests|apps|domain)/[\w/]+)`", text))
    assert named
    places = [*(ROOT / room for room in ROOMS), (ROOT / document).parent]
    # Names of files that gprov reads or writes elsewhere.
    foreign = {"manufData.json", "appliance.json"}
    assert [name for name in named - foreign if not any((place / name).exists() for place in places)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_from_the_root_and_dotted_names_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    paths = re.findall(r"(?:`|`python -m pytest |\()((?:tests|examples|buildroot|fuzz|requirements)/[\w./-]*\w)", text)
    paths += re.findall(r"`(gprov/\w+/[\w./-]*\w)`", text)
    assert [path for path in paths if not any((base / path).exists() for base in (ROOT, ROOT / "docs"))] == []
    for name in set(re.findall(r"`(gprov(?:\.\w+){2,})`", text)):
        assert importable(name), name


def importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(importlib.import_module(name))
    except ImportError:
        return False


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_are_wrapped(document: str) -> None:
    """At most 110 columns, in tables 300. A name that cannot be broken may stand alone on a line."""
    long = [
        line
        for line in (ROOT / document).read_text().splitlines()
        if len(line) > (300 if line.startswith("|") else 110) and len(line.split()) > 1
    ]
    assert long == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_say_who(document: str) -> None:
    """A sentence has a subject that a reader can look up: an attacker, a person at the unit, root of the system."""
    text = (ROOT / document).read_text()
    assert re.findall(r"(?i)\b(?:whoever|nobody|somebody|in vain)\b", text) == []


def test_the_readme_names_what_can_be_imported() -> None:
    names = re.findall(r"`(gprov(?:\.\w+)+)`", (ROOT / "README.md").read_text())
    assert len(names) > 8
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert name == "gprov.apps" or hasattr(importlib.import_module(module), attribute), name


def test_links_in_documents_lead_to_files_and_headings() -> None:
    for document in DOCUMENTS:
        for target, heading in links(document):
            path = (ROOT / document).parent / target if target else ROOT / document
            assert path.exists(), f"{document}: {target}"
            assert not heading or heading in headings(path), f"{document}: {target}#{heading}"


# Pages for people who change gprov, and what adopters run themselves: contracts of their own adapters.
NAMING_TESTS = {"architecture.md", "bios-tools.md", "build.md", "credentials.md", "displays.md", "simulation.md"}


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_evidence_is_apart_from_what_users_read(document: str) -> None:
    """Which test shows something is said in docs/evidence."""
    if not document.startswith("docs/evidence/") and Path(document).name not in NAMING_TESTS:
        shown = re.sub(r"<!--.*?-->", "", (ROOT / document).read_text(), flags=re.DOTALL)
        assert re.findall(r"\btest_\w+\.py|`tests/", shown) == []


def test_each_page_is_in_the_navigation_of_the_site_once() -> None:
    """If this fails: put a new page into ``nav`` of mkdocs.yml."""
    _, _, nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")
    listed = re.findall(r"^ +- .+: (\S+\.md)$", nav, re.MULTILINE)
    assert sorted(listed) == sorted([*pages_of_the_site().values(), *BUILT_PAGES])


@pytest.mark.parametrize("page", COMMITTED_PAGES)
def test_pages_of_the_reference_are_generated(page: str) -> None:
    """Run `python -m tools.reference` after a change."""
    assert (ROOT / "docs" / page).read_text() == COMMITTED_PAGES[page]()


def test_schemas_are_generated() -> None:
    """Run `python -m tools.reference` after a change."""
    folder = ROOT / "docs/schemas"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_every_document_is_reached_from_the_readme() -> None:
    reached: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        folder = (ROOT / document).parent
        found = [(folder / target).resolve().relative_to(ROOT.resolve()) for target, _ in links(document) if target]
        waiting += [str(path) for path in found if path.suffix == ".md"]
    assert set(DOCUMENTS) - reached == set()


def test_commands_in_documents_have_these_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Every option after ``gprov COMMAND ACTION`` in code is one that the help of that action names."""
    checked = 0
    for document in DOCUMENTS:
        for words, options in commands(document):
            if options and words[0] in COMMANDS:
                named = options_of(words, capsys)
                assert set(options) <= named, f"{document}: gprov {' '.join(words)}: {set(options) - named}"
                checked += len(options)
    assert checked > 60


def test_every_option_and_action_is_in_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join((ROOT / document).read_text() for document in DOCUMENTS)
    table = (ROOT / "docs/reference/cli.md").read_text()
    found = [words for name in COMMANDS for words in actions_of([name], capsys)]
    assert len(found) > 40
    for words in found:
        options = options_of(words, capsys)
        assert [option for option in options if option not in text] == [], words
        assert f"`{' '.join(words)}`" in table, words


def actions_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Words of the actions of a command; itself if it has none."""
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    _, _, listed = capsys.readouterr().out.partition("\nCommands:\n")
    if not listed:
        yield words
    for action in re.findall(r"^  (\S+)  ", listed, re.MULTILINE):
        yield from actions_of([*words, action], capsys)


# Actions that have actions of their own.
GROUPS = [["server", "account"], ["server", "certificate"], ["server", "credentials"]]


def commands(document: str) -> Iterator[tuple[list[str], list[str]]]:
    """Command, action (the default one if there is none) and options of each command in code."""
    for line in code((ROOT / document).read_text().replace("\\\n", " ")):
        for name, action, rest in re.findall(r"\bgprov ([a-z]+)(?: ([a-z]+(?:-[a-z]+)?))?((?! …) [^;>|]*)?", line):
            command = COMMANDS.get(name)
            words = [name, action or (command.default if command else "")]
            if words in GROUPS:
                words += rest.split()[:1]
            yield [word for word in words if word], re.findall(r"(?<![\w-])--[a-z-]+", rest)


def code(text: str) -> Iterator[str]:
    """Lines of blocks, and code within text."""
    fenced = re.compile(r"^ *```[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    for block in fenced.findall(text):
        yield from block.splitlines()
    for inline, line in re.findall(r"`([^`]+)`|^    (.+)$", fenced.sub("", text), re.MULTILINE):
        yield inline or line


def options_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
