"""The contracts that fakes keep in unit tests, kept by the Linux adapters on the kernel of units, started by UEFI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CONTRACT = "tests/unit/contract"
CHECKOUT = Path(__file__).parents[3]
OPTIONS = ("--color=no", "--tb=short", "-p", "no:cacheprovider", "-o", "tmp_path_retention_policy=none")

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]


def test_linux_adapters_keep_every_contract_that_fakes_keep(guest: Callable[..., str]) -> None:
    argv = (sys.executable, "-m", "pytest", "--collect-only", "-q", *OPTIONS, CONTRACT)
    listed = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True, cwd=CHECKOUT).stdout
    wanted = {line for line in listed.splitlines() if "::" in line}
    command = ("env", "GPROV_CONTRACT=linux", sys.executable, "-m", "pytest", "-rA", *OPTIONS, CONTRACT)
    console = guest(*command, seconds=900, uefi=True)
    passed = set(re.findall(r"^PASSED (.*?)\r?$", console, re.MULTILINE))
    assert passed == wanted
    assert len(wanted) > 70
