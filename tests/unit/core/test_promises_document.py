"""docs/evidence/promises.md and docs/evidence/threats.md name tests: each of them must be there, and each promise and
attack that users read of must have its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"`([a-z0-9_/]*test_[a-z0-9_]+\.py)?((?:::\w+)*)`")


def named(document: str) -> Iterator[tuple[Path, str]]:
    """Every file, and every test in it. ```::test_x``` alone means the file before."""
    path = Path()
    for file, tests in _NAMED.findall((ROOT / document).read_text()):
        if file:
            path = ROOT / "tests" / (file if file.startswith("integ/") else f"unit/{file}")
        if file or tests:
            yield path, tests.rpartition("::")[2]


@pytest.mark.parametrize(("document", "most"), [("docs/evidence/promises.md", 80), ("docs/evidence/threats.md", 20)])
def test_every_test_that_is_named_is_there(document: str, most: int) -> None:
    found = list(named(document))
    assert len(found) > most
    missing = [f"{path}::{test}" for path, test in found if not path.is_file() or not _defines(path, test)]
    assert missing == []


def _defines(path: Path, test: str) -> bool:
    return not test or re.search(rf"^ *(def|class) {test}\b", path.read_text(), re.MULTILINE) is not None


def test_every_promise_has_its_tests() -> None:
    stated, shown = (
        {name.replace("\n  ", " ") for name in re.findall(r"^- \*\*([^*]+)\*\*", text.partition(end)[0], re.MULTILINE)}
        for text, end in (
            ((ROOT / "docs/explanation/promises.md").read_text(), "## Where promises end"),
            ((ROOT / "docs/evidence/promises.md").read_text(), "## Found by these tests"),
        )
    )
    assert len(stated) > 10
    assert stated == shown


@pytest.mark.parametrize(("stated", "shown"), [("threat-model.md", "threats.md"), ("hardening.md", "hardening.md")])
def test_every_attack_has_its_tests(stated: str, shown: str) -> None:
    attacks = _attacks(f"docs/explanation/{stated}")
    assert len(attacks) > 15
    assert _attacks(f"docs/evidence/{shown}") == attacks


def _attacks(document: str) -> list[str]:
    """First column of the tables of attacks."""
    tables = re.findall(r"^\| attack \|.*\n\|[-|]+\n((?:\|.*\n)+)", (ROOT / document).read_text(), re.MULTILINE)
    return [row.split(" | ")[0] for table in tables for row in table.splitlines()]
