"""Misbehaving management controllers on the simulated machine."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.bmc.port import FakeBmc
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.mfg.spec import FirmwareVersions
from tests.unit.bmc.scenarios import FRU_VERSION, SCENARIOS, attempt, versions


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_comes_of_it(name: str) -> None:
    controller = SCENARIOS[name].controller()
    machine = SimulatedMachine(bmc=controller)
    SCENARIOS[name].check(attempt(FakeBmc(machine), machine.clock, SCENARIOS[name], 30.0), controller)
    assert machine.clock.monotonic() < 60.0


def test_versions() -> None:
    controller = SCENARIOS["as it should be"].controller()
    machine = SimulatedMachine(bmc=controller)
    assert versions(FakeBmc(machine), machine.clock) == repr(FirmwareVersions(ipmi="2.05", fru=FRU_VERSION))
    controller.board.engine = (6, 0x2C, 4, 1)
    assert "me='4.01'" in versions(FakeBmc(machine), machine.clock)
    machine.bmc = None
    assert versions(FakeBmc(machine), machine.clock) == "None"
