"""OpenIPMI's simulator as the lab runs it: an account that was made over the machine's interface lets a client of the
network in, which ``ipmitool`` shows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.bmc import SimulatedBmc, simulated_bmc
from gprov.apps.host.lab.bmc_config import BMC_MAC, DELIVERED, FIRMWARE
from gprov.apps.unit.devices.bmc import Controller
from gprov.domain.formats.ipmi.chassis import identify
from tests.integ.bmc.outside import LineBmc
from tests.integ.bmc.remote import logs_in, remote
from tests.unit.bmc.scenarios import OWN, SCENARIOS, SHORT, attempt

CLOCK = SystemClock()


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedBmc]:
    with simulated_bmc(SystemProcesses(), str(tmp_path / "bmc")) as bmc:
        yield bmc


@pytest.fixture
def line(simulator: SimulatedBmc) -> Iterator[LineBmc]:
    bmc = LineBmc(simulator.ports.machine)
    yield bmc
    bmc.close()


def test_what_gprov_reads_is_what_ipmitool_prints(simulator: SimulatedBmc, line: LineBmc, tmp_path: Path) -> None:
    facts = Controller(line, CLOCK).facts(0)
    told = remote(simulator, *DELIVERED, tmp_path, "mc", "info")
    assert facts.device.firmware == told["Firmware Revision"] == FIRMWARE
    assert facts.device.ipmi == told["IPMI Version"]
    assert told["Manufacturer ID"] == str(facts.device.manufacturer)
    assert told["Product ID"].split()[0] == str(facts.device.product)
    told = remote(simulator, *DELIVERED, tmp_path, "lan", "print", "1")
    [channel] = facts.channels
    assert channel.mac == told["MAC Address"] == BMC_MAC
    assert channel.address == told["IP Address"]
    assert channel.mask == told["Subnet Mask"]
    assert channel.source == "static"
    assert told["IP Address Source"] == "Static Address"
    listed = remote(simulator, *DELIVERED, tmp_path, "user", "summary", "1")
    assert len(facts.users) == int(listed["Maximum IDs"])


def test_the_event_log_is_what_ipmitool_prints(simulator: SimulatedBmc, line: LineBmc, tmp_path: Path) -> None:
    log = Controller(line, CLOCK).event_log(20)
    assert remote(simulator, *DELIVERED, tmp_path, "sel", "info")["Entries"] == str(log.entries) == "1"
    [entry] = log.newest
    assert "sensor type 0x0c, sensor 0x21, event data a0 ff ff" in entry.describe()


def test_an_account_lets_its_owner_in_from_outside_and_nobody_else(
    simulator: SimulatedBmc, line: LineBmc, tmp_path: Path
) -> None:
    assert logs_in(simulator, *DELIVERED, tmp_path)
    assert attempt(line, CLOCK, SCENARIOS["as it should be"], 30.0) == f"done {BMC_MAC}"
    assert logs_in(simulator, OWN, SHORT, tmp_path)
    assert not logs_in(simulator, OWN, SHORT[:-1] + "x", tmp_path)
    assert not logs_in(simulator, *DELIVERED, tmp_path)


def test_accounts_survive_the_end_of_the_simulator(tmp_path: Path) -> None:
    folder = str(tmp_path / "bmc")
    with simulated_bmc(SystemProcesses(), folder) as simulator:
        line = LineBmc(simulator.ports.machine)
        attempt(line, CLOCK, SCENARIOS["as it should be"], 30.0)
        line.close()
    with simulated_bmc(SystemProcesses(), folder) as simulator:
        assert logs_in(simulator, OWN, SHORT, tmp_path)
        assert not logs_in(simulator, *DELIVERED, tmp_path)


def test_the_identify_light(simulator: SimulatedBmc, line: LineBmc) -> None:
    assert line.exchange(identify(255)).code == 0
    assert line.exchange(identify(0)).code == 0
    assert [words.split()[:2] for words in simulator.switched()] == [["identify", "255"], ["identify", "0"]]


def test_the_simulator_ends_with_its_unit(tmp_path: Path) -> None:
    with simulated_bmc(SystemProcesses(), str(tmp_path / "bmc")) as simulator:
        assert _listeners(simulator.ports.machine)
    assert not _listeners(simulator.ports.machine)


def _listeners(port: int) -> str:
    done = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_files_of_the_simulator_are_private(simulator: SimulatedBmc) -> None:
    assert os.stat(simulator.folder).st_mode & 0o077 == 0
