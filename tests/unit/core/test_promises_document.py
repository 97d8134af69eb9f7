"""docs/explanation/promises.md and docs/explanation/threat-model.md name tests: each of them must be there."""

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


@pytest.mark.parametrize(
    ("document", "most"), [("docs/explanation/promises.md", 80), ("docs/explanation/threat-model.md", 20)]
)
def test_every_test_that_is_named_is_there(document: str, most: int) -> None:
    found = list(named(document))
    assert len(found) > most
    missing = [f"{path}::{test}" for path, test in found if not path.is_file() or not _defines(path, test)]
    assert missing == []


def _defines(path: Path, test: str) -> bool:
    return not test or re.search(rf"^ *(def|class) {test}\b", path.read_text(), re.MULTILINE) is not None
