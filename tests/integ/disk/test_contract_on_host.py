"""The contracts that the fakes keep in unit tests, kept by the Linux adapters on this machine's kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONTRACT = Path(__file__).parents[2] / "unit/contract"
CHECKOUT = CONTRACT.parents[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root and loop devices")
def test_linux_adapters_keep_the_contracts(tmp_path: Path) -> None:
    """Without firmware variables, and without FAT where this kernel has none: a guest does those."""
    has_fat = "vfat" in Path("/proc/filesystems").read_text()
    wanted = "not test_firmware" if has_fat else "not test_firmware and not fat"
    options = ("-q", "--color=no", "--tb=short", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/run", "-k", wanted)
    done = subprocess.run(
        (sys.executable, "-m", "pytest", *options, str(CONTRACT)),
        capture_output=True,
        text=True,
        timeout=600,
        cwd=CHECKOUT,
        env={**os.environ, "GPROV_CONTRACT": "linux"},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
