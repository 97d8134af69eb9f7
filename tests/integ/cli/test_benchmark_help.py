"""Every program of ``benchmarks/`` explains itself, and needs nothing for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PROGRAMS = sorted(path.stem for path in (CHECKOUT / "benchmarks").glob("*.py") if "__main__" in path.read_text())


def test_there_are_programs() -> None:
    assert {"boot", "erase", "erase_pass", "restore"} <= set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_help(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")
