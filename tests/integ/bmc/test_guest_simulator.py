"""OpenIPMI's simulator seen through the kernel of units: the account that a guest makes lets a client of the network
in, and messages to the Management Engine are passed on."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.bmc import SimulatedBmc, simulated_bmc
from gprov.apps.host.lab.bmc_config import BMC_MAC, DELIVERED, ENGINE_FIRMWARE, FIRMWARE
from tests.integ.bmc.remote import logs_in
from tests.integ.conftest import CHECKOUT, Guest
from tests.unit.bmc.scenarios import OWN, SHORT

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]
PROGRAM = str(CHECKOUT / "tests/integ/bmc/vm/make_account.py")


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedBmc]:
    with simulated_bmc(SystemProcesses(), str(tmp_path / "bmc")) as bmc:
        yield bmc


@pytest.fixture
def guest_disks(simulator: SimulatedBmc) -> list[str]:
    return [
        *("-chardev", f"socket,id=bmc,host=127.0.0.1,port={simulator.ports.machine},reconnect=1"),
        *("-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc"),
        *("-device", "isa-ipmi-kcs,bmc=bmc0"),
    ]


def test_what_a_guest_sets_counts_outside(guest: Guest, simulator: SimulatedBmc, tmp_path: Path) -> None:
    assert logs_in(simulator, *DELIVERED, tmp_path)
    console = guest(sys.executable, PROGRAM, seconds=600)
    assert f"OUTCOME done {BMC_MAC}" in console
    assert f"ipmi='{FIRMWARE}'" in console
    assert f"me='{ENGINE_FIRMWARE}'" in console
    assert "LIGHT 0" in console
    assert logs_in(simulator, OWN, SHORT, tmp_path)
    assert not logs_in(simulator, OWN, SHORT[:-1] + "x", tmp_path)
    assert not logs_in(simulator, *DELIVERED, tmp_path)
    assert [words.split()[:2] for words in simulator.switched()] == [["identify", "255"]]
