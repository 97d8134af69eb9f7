"""Burn-in of virtual units by the real programs on the kernel of units: a slow disk fails it, without one it passes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.lifecycle import UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.server.store.database import store_path
from gprov.domain.events import ProcessState
from gprov.domain.formats.json.value import Json
from tests.integ.vm.conftest import RunStage

# The kernel of these tests is linked for them alone.
pytestmark = [pytest.mark.vm, pytest.mark.nightly]

SECONDS = 900.0
FAILED = Expectation(
    Ending.RESET, (INIT_STARTED, ProcessState.MFG_STARTED.value, ProcessState.MFG_FAILED.value), SECONDS
)
PASSED = Expectation(
    Ending.RESET, (INIT_STARTED, ProcessState.MFG_STARTED.value, ProcessState.MFG_SUCCEEDED.value), SECONDS
)
# An emulated disk reads more than 30 MB/s on a busy host; the slow one 2 MB/s.
LEAST = 6
SLOW = {"bps": 2_000_000, "bps_rd": 0, "bps_wr": 0, "iops": 0, "iops_rd": 0, "iops_wr": 0}

Provision = Callable[..., tuple[VirtualUnit, StageResult]]


@pytest.fixture(scope="session")
def kernel(container: LabContainer) -> str:
    """With the programs of a burn-in."""
    return container.builder().kernel(Flavor.MFG_BURN_IN)


@pytest.fixture
def provision(
    container: LabContainer, small_products: Products, kernel: str, run_stage: RunStage, tmp_path: Path
) -> Provision:
    def run(
        expected: Expectation, spec: dict[str, Json], during: Callable[[RunningMachine], None] = lambda _: None
    ) -> tuple[VirtualUnit, StageResult]:
        unit = VirtualUnit.create(str(tmp_path / "unit"), unit_spec("small"), container.processes())
        with factory_for(container.processes(), unit, "") as factory:
            factory.server.publish(small_products.published(), unit.spec)
            served = Path(factory.server.folder, "files", "manufData.json")
            entry = {"DevCodeName": unit.spec.code_name, "TimeLimit": 600, **spec}
            served.write_text(json.dumps({**json.loads(served.read_text()), "BurnIn": [entry]}))
            arguments = (*factory.server.arguments, *UNIT_ARGUMENTS)
            machine = unit.machine().booting(DirectKernel(kernel, arguments))
            return unit, run_stage("provision", unit, expected, machine, during)

    return run


@contextmanager
def stored(unit: VirtualUnit) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{store_path(unit.path('server'))}?mode=ro", uri=True)) as database:
        yield database


def report(unit: VirtualUnit) -> Any:
    with stored(unit) as database:
        [(content,)] = database.execute("SELECT content FROM documents WHERE name = 'burn-in.json'").fetchall()
    return json.loads(content)


def slow(live: RunningMachine) -> None:
    """The data disk is throttled by QEMU, also for all later requests."""
    live.qmp.execute("block_set_io_throttle", {"id": "primary0-device", **SLOW})


def test_a_slow_disk_fails_the_burn_in_and_recovery_stays_blank(provision: Provision) -> None:
    spec: dict[str, Json] = {"Cpu": {"Seconds": 3}, "Disks": {"Seconds": 5, "MinReadMBs": LEAST}}
    unit, _ = provision(FAILED, spec, slow)
    found = report(unit)
    assert found["verdict"] == "failed"
    [exceeded] = [check for check in found["checks"] if not check["passed"]]
    assert exceeded["quantity"].startswith("reading of /dev/")
    assert 0.5 < float(exceeded["measured"].split()[0]) < LEAST
    assert exceeded["limit"] == f"at least {LEAST} MB/s"
    assert [test.split()[1] for test in found["tests"]] == ["processors", "/dev/sda"]
    console = Path(unit.serial_log("provision")).read_text(errors="replace")
    assert "burn-in failed: reading of /dev/" in console
    assert "Burn-in 2 of 2: reading disks" in console
    with stored(unit) as database:
        assert database.execute("SELECT name FROM documents WHERE kind = 'qa'").fetchall() == []
    blank = Path(unit.path("blank.qcow2"))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", blank, str(unit.spec.recovery_size)], check=True)
    compared = subprocess.run(["qemu-img", "compare", "-q", blank, unit.recovery], check=False)
    assert compared.returncode == 0


def test_without_a_fault_it_passes_and_is_on_the_qa_document(provision: Provision) -> None:
    spec: dict[str, Json] = {
        "Cpu": {"Seconds": 3},
        "Memory": {"Percent": 2},
        "Disks": {"Seconds": 5, "MinReadMBs": LEAST, "WriteTest": True, "MinWriteMBs": 1},
    }
    unit, _ = provision(PASSED, spec)
    found = report(unit)
    assert found["verdict"] == "passed"
    assert len(found["tests"]) == 4
    assert any("SMART" in check["quantity"] for check in found["checks"])
    with stored(unit) as database:
        [(document,)] = database.execute("SELECT content FROM documents WHERE kind = 'qa'").fetchall()
    assert "burn-in passed" in document
    assert "memory errors, part 1" in document
