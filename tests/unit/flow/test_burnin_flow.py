"""Burn-in of a simulated unit: it runs before anything is written, and each kind of end has its verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.display.views import ProgressView
from gprov.domain.errors import BurnInAborted, BurnInFailed, GprovError, HardwareMismatch, ToolMissing
from gprov.domain.events import Event, ProcessState, Progress, Severity
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.burnin.readings import MemoryErrors
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

SPEC: dict[str, Json] = {
    "DevCodeName": "QEMU-mfg-test",
    "TimeLimit": 600,
    "Cpu": {"Seconds": 60},
    "Memory": {"Percent": 50},
    "Disks": {"Seconds": 30, "WriteTest": True, "MinReadMBs": 100, "MinWriteMBs": 100},
    "Limits": {"MaxTemperature": 90},
}
DOCUMENT = f"{SERIAL}_qav.htm"


def burn_in(unit: UnitDriver, **changes: Json) -> None:
    unit.change_manuf(BurnIn=[{**SPEC, **changes}])


def report(unit: UnitDriver) -> Any:
    return json.loads(unit.factory.reports[SERIAL, DocumentKind.BURN_IN])


def fails(unit: UnitDriver, kind: type[GprovError], **arguments: str) -> GprovError:
    """The error; nothing of provisioning was written, and there is no QA document."""
    stick = unit.machine.media_state()["sdb"]
    error = unit.provision_fails(**arguments)
    assert isinstance(error, kind)
    assert unit.machine.media_state()["sdb"] == stick
    assert unit.factory.documents == {}
    assert unit.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    return error


@pytest.fixture
def unit(blank: UnitDriver) -> UnitDriver:
    burn_in(blank)
    return blank


def test_a_good_unit_passes_and_is_provisioned(unit: UnitDriver) -> None:
    assert unit.provision() is StopReason.REBOOT
    found = report(unit)
    assert (found["verdict"], found["reason"], found["serial"]) == ("passed", "", SERIAL)
    assert len(found["tests"]) == 5  # two of memory
    assert all(check["passed"] for check in found["checks"])
    assert 60 + 20 + 30 + 30 <= found["seconds"] < 200
    document = unit.factory.documents[DOCUMENT]
    assert "Provisioned; the hardware is as specified; burn-in passed" in document
    assert "<td>reading of /dev/sda</td><td>500.0 MB/s</td><td>at least 100 MB/s</td><td>yes</td>" in document
    assert unit.settle() == ("reboot", "switched root")


def test_the_burn_in_is_over_before_anything_is_written_to_recovery(unit: UnitDriver) -> None:
    writes = [name for name in unit.operations(UnitDriver.provision) if "/dev/sd" in name]
    assert writes[0] == "overwrite /dev/sda"
    assert "/dev/sdb" in writes[1]


def test_without_a_write_test_the_data_disks_are_only_read(unit: UnitDriver) -> None:
    used = units.running()
    burn_in(used, Disks={"Seconds": 30, "MinReadMBs": 600})
    before = used.machine.media_state()
    used.factory.documents.clear()
    used.factory.states.clear()
    assert isinstance(used.provision_fails(), BurnInFailed)
    assert used.machine.media_state() == before
    assert used.boot() is StopReason.SWITCHED_ROOT


def test_a_used_unit_whose_write_test_failed_restores_itself(unit: UnitDriver) -> None:
    """The write test destroys the old system, RECOVERY is still the old one."""
    used = units.running()
    burn_in(used, Disks={"Seconds": 30, "WriteTest": True, "MinWriteMBs": 600})
    assert isinstance(used.provision_fails(), BurnInFailed)
    assert used.settle() == ("reboot", "switched root")


@pytest.mark.parametrize(
    ("change", "exceeded"),
    [
        ({"bad_memory": ("FAILURE: 0x1 != 0x2 at offset 0x3",)}, "memory errors, part 1: measured 1: FAILURE: 0x1"),
        ({"wrong_results": ("cpu: gcd error",)}, "wrong results of processors: measured 1: cpu: gcd error"),
        ({"rates": {"primary0": 20e6}}, "reading of /dev/sda: measured 20.0 MB/s, limit at least 100 MB/s"),
        ({"disk_errors": {"primary0": "errno 5 (Input/output error)"}}, "read errors of /dev/sda: measured 1: errno 5"),
        ({"errors_per_load": MemoryErrors(1, 0)}, "corrected memory errors (ECC): measured 5, limit at most 0"),
        ({"errors_per_load": MemoryErrors(0, 1)}, "uncorrected memory errors (ECC): measured 5, limit none"),
        ({"lines_per_load": ("[1.0] [Hardware Error]: x",)}, "hardware errors in the kernel's log: measured 1"),
    ],
)
def test_an_injected_fault_fails_the_burn_in(unit: UnitDriver, change: dict[str, Any], exceeded: str) -> None:
    unit.machine.load_model = replace(unit.machine.load_model, **change)
    error = fails(unit, BurnInFailed)
    assert any(line.startswith(exceeded) for line in error.details()), error.details()
    assert report(unit)["verdict"] == "failed"
    assert exceeded in unit.log()


def test_each_exceeded_limit_is_reported(unit: UnitDriver) -> None:
    unit.machine.load_model = replace(
        unit.machine.load_model, bad_memory=("FAILURE: x",), rates={"primary0": 1e6}, errors_per_load=MemoryErrors(2, 0)
    )
    error = fails(unit, BurnInFailed)
    assert len(error.details()) == 4
    assert "(and 3 more)" in str(error)


def test_a_unit_that_gets_too_hot_is_stopped_at_once(unit: UnitDriver) -> None:
    unit.machine.load_model.loaded = {"coretemp Package id 0": 97.0}
    error = fails(unit, BurnInFailed)
    assert error.details() == ("temperature of coretemp Package id 0: measured 97 °C, limit at most 90 °C",)
    assert report(unit)["seconds"] < 10
    assert report(unit)["tests"] == []
    assert unit.machine.load_model.running == 0


@pytest.mark.parametrize("program", ["stress-ng", "memtester", "fio"])
def test_a_missing_program_is_refused_before_the_start(unit: UnitDriver, program: str) -> None:
    unit.machine.load_model.missing = {program}
    error = fails(unit, ToolMissing)
    assert f"{program}: program is not installed; build the provisioning kernel with it" in str(error)
    assert (SERIAL, DocumentKind.BURN_IN) not in unit.factory.reports
    assert "start: burn-in" not in unit.log()


def test_a_limit_that_this_machine_cannot_check_is_refused_before_the_start(unit: UnitDriver) -> None:
    unit.machine.load_model.idle = {}
    unit.machine.load_model.memory_errors = None
    burn_in(unit, Limits={"MaxTemperature": 90, "MaxCorrectedErrors": 0})
    assert len(fails(unit, HardwareMismatch).details()) == 2
    assert "start: burn-in" not in unit.log()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hanging": {"fio"}}, "the time limit of 600 s has passed without a result"),
        ({"breaking": {"memtester"}}, "memtester: exit status 1, without a result"),
    ],
)
def test_an_end_without_a_result_is_aborted_not_failed(unit: UnitDriver, change: dict[str, Any], reason: str) -> None:
    unit.machine.load_model = replace(unit.machine.load_model, **change)
    error = fails(unit, BurnInAborted)
    assert reason in str(error)
    assert (report(unit)["verdict"], report(unit)["reason"]) == ("aborted", reason)
    assert unit.machine.load_model.running == 0


def test_what_was_found_before_the_abort_counts(unit: UnitDriver) -> None:
    """Bad memory makes its test slow: each wrong word is printed."""
    unit.machine.load_model = replace(unit.machine.load_model, hanging={"memtester"}, bad_memory=("FAILURE: x",))
    error = fails(unit, BurnInFailed)
    assert error.details() == ("memory errors, part 1: measured 1: FAILURE: x, limit none",)
    assert report(unit)["reason"] == "the time limit of 600 s has passed without a result"
    assert unit.machine.load_model.running == 0


def test_a_person_can_abort_it_after_a_question(unit: UnitDriver) -> None:
    unit.machine.operator_present = True
    unit.machine.keys = ["any", "no", "any", "yes"]
    error = fails(unit, BurnInAborted)
    assert str(error).endswith("by a person at the unit")
    assert unit.machine.messages.count("Abort the burn-in? The unit is not provisioned then.") == 2


def test_a_disk_that_is_unplugged_fails_it(unit: UnitDriver) -> None:
    unit.machine.faults.append(Fault(kind=FaultKind.VANISH, where="burn-in: overwrite /dev/sda", disk="primary0"))
    assert (
        "write errors of /dev/sda: measured 1: errno 19 (No such device), limit none"
        in fails(unit, BurnInFailed).details()
    )


def test_progress_is_shown_with_the_time_left(unit: UnitDriver) -> None:
    shown: list[ProgressView] = []
    seen: list[Progress] = []

    class Watching(MemorySink):
        @override
        def publish(self, event: Event) -> None:
            super().publish(event)
            if isinstance(event.body, Progress) and event.body.task.startswith("Burn-in"):
                seen.append(event.body)
                if isinstance(unit.machine.shown, ProgressView):
                    shown.append(unit.machine.shown)

    unit.world.sinks = (Watching(),)
    assert unit.provision() is StopReason.REBOOT
    assert {one.task for one in seen} == {
        "Burn-in 1 of 4: processors",
        "Burn-in 2 of 4: memory",
        "Burn-in 3 of 4: reading disks",
        "Burn-in 4 of 4: writing disks",
    }
    assert any(view.seconds_left and 0 < view.seconds_left < 60 for view in shown)


def test_the_test_switch_leaves_it_out(unit: UnitDriver) -> None:
    unit.machine.load_model.missing = {"fio"}
    assert unit.provision(PROVISION_MFG_TEST="No-burn-in") is StopReason.REBOOT
    assert unit.factory.documents == {}
    assert "burn-in left out, as asked" in unit.log(Severity.WARNING)


def test_disks_that_are_not_to_be_wiped_are_not_overwritten() -> None:
    used = units.running()
    burn_in(used)
    before = used.machine.media_state()["sda"]
    assert used.provision(PROVISION_MFG_TEST="No-wipe-disks") is StopReason.REBOOT
    assert used.machine.media_state()["sda"] == before
    assert report(used)["verdict"] == "passed"
    assert not [test for test in report(used)["tests"] if test.startswith("overwrite")]
    assert "No-wipe-disks: the data disks are only read" in used.log(Severity.WARNING)
    assert used.boot() is StopReason.SWITCHED_ROOT


def test_the_burn_in_of_another_platform_does_not_run(blank: UnitDriver) -> None:
    burn_in(blank, DevCodeName="other")
    assert blank.provision() is StopReason.REBOOT
    assert (SERIAL, DocumentKind.BURN_IN) not in blank.factory.reports
    assert "not asked for" in blank.factory.documents[DOCUMENT]
