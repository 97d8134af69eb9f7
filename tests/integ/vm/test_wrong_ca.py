"""A unit whose server shows another CA than the unit was told: it refuses before it writes anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.lifecycle import UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.events import ProcessState
from tests.integ.vm.conftest import RunStage

pytestmark = pytest.mark.vm

REFUSED = Expectation(Ending.RESET, (INIT_STARTED, ProcessState.MFG_FAILED.value), 420.0)


def test_a_unit_refuses_a_server_of_another_ca(container: LabContainer, run_stage: RunStage, tmp_path: Path) -> None:
    processes = SystemProcesses()
    unit = VirtualUnit.create(str(tmp_path / "unit"), VirtualUnitSpec(tls=True), processes)
    other = "0123456789abcdef" * 4
    with factory_for(processes, unit, "") as factory:
        assert factory.server.ca is not None
        arguments = (f"mfgurl={factory.server.manuf_url}", f"mfgca=sha256:{other}", *UNIT_ARGUMENTS)
        kernel = DirectKernel(container.builder().kernel(Flavor.MFG), arguments)
        run_stage("provision", unit, REFUSED, factory.machine(unit).booting(kernel))
        said = Path(unit.serial_log("provision")).read_text(errors="replace")
        assert f"its SHA-256 is {factory.server.ca.digest}, but mfgca says {other}" in said
    asked = re.findall(r'"(GET|POST) (/\S*) ', Path(unit.path("server.log")).read_text())
    assert set(asked) == {("GET", "/ca.pem")}
    for file in unit.disk_files():
        mapped = json.loads(processes.run(("qemu-img", "map", "--output=json", file)).output)
        assert not any(piece["data"] for piece in mapped), f"{file} was written to"
