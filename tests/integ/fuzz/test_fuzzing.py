"""``make fuzz`` for a second per target: every target runs under the fuzzer without a defect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.__main__ import defect, quoted
from fuzz.catalogue import TARGETS, target


@pytest.mark.nightly
def test_every_target_for_a_second(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "fuzz", "--seconds", "1", "--corpus", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(TARGETS) + 2


def test_one_target_runs(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "fuzz", "--seconds", "1", "--corpus", str(tmp_path), "image-name"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    executions = int(done.stdout.splitlines()[1].split()[1].replace(",", ""))
    assert executions > 0


def test_a_find_is_run_again(tmp_path: Path) -> None:
    slow = tmp_path / "find"
    slow.write_bytes(b"WIDGET")
    assert defect(target("image-name"), slow) == ""
    assert quoted(b"\n\xff") == "\\x0a\\xff"
