"""Management controllers that misbehave, seen through the kernel of units: its KCS driver, QEMU's KCS interface, and
the simulated controller with its faults outside. One guest sets up all of them, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integ.bmc.outside import OutsideBmc, serving
from tests.integ.conftest import CHECKOUT, Guest
from tests.unit.bmc.scenarios import FRU_VERSION, SCENARIOS

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]
PROGRAM = str(CHECKOUT / "tests/integ/bmc/vm/run_scenarios.py")
_NAMES = list(SCENARIOS)


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[OutsideBmc]:
    outside = OutsideBmc(lambda number: SCENARIOS[_NAMES[number]].controller())
    with serving(outside, tmp_path / "bmc"):
        yield outside


@pytest.fixture
def guest_disks(tmp_path: Path, bmc: OutsideBmc) -> list[str]:
    return [
        *("-chardev", f"socket,id=bmc,path={tmp_path / 'bmc'},reconnect=1"),
        *("-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc"),
        *("-device", "isa-ipmi-kcs,bmc=bmc0"),
    ]


def test_misbehaviour_ends_as_on_the_simulated_machine(guest: Guest, bmc: OutsideBmc) -> None:
    console = guest(sys.executable, PROGRAM, seconds=900)
    outcomes = re.findall(r"^OUTCOME (\d+) [\d.]+ s (.*?): (.*?)\r?$", console, re.MULTILINE)
    assert [name for _number, name, _outcome in outcomes] == _NAMES
    for number, name, outcome in outcomes:
        SCENARIOS[name].check(outcome, bmc.controllers[int(number)])
    [versions] = re.findall(r"^VERSIONS (.*?)\r?$", console, re.MULTILINE)
    assert "ipmi='2.05'" in versions
    assert f"fru='{FRU_VERSION}'" in versions
