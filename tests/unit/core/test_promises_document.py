"""docs/promises.md names tests: each of them must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"`([a-z0-9_/]*test_[a-z0-9_]+\.py)?((?:::\w+)*)`")


def named() -> Iterator[tuple[Path, str]]:
    """Every file, and every test in it. ```::test_x``` alone means the file before."""
    path = Path()
    for file, tests in _NAMED.findall((ROOT / "docs/promises.md").read_text()):
        if file:
            path = ROOT / "tests" / (file if file.startswith("integ/") else f"unit/{file}")
        if file or tests:
            yield path, tests.rpartition("::")[2]


def test_every_test_that_is_named_is_there() -> None:
    found = list(named())
    assert len(found) > 80
    missing = [f"{path}::{test}" for path, test in found if not path.is_file() or not _defines(path, test)]
    assert missing == []


def _defines(path: Path, test: str) -> bool:
    return not test or re.search(rf"^ *(def|class) {test}\b", path.read_text(), re.MULTILINE) is not None
