"""What a start of a machine came to, and how that is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport
from gprov.apps.host.lab.lifecycle import PROVISIONED, RESTORE_FAILED, RESTORED, STARTED
from gprov.apps.host.lab.report import RunFacts, lab_report
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import Expectation, StageResult, StageVerdict, last_lines, unmet_expectation

UP = GuestReport("multi-user", 20.25, {"failed": ""})


def said(*names: str) -> tuple[GuestMilestone, ...]:
    return tuple(GuestMilestone(name, float(index), {}) for index, name in enumerate(names, 2))


@pytest.mark.parametrize(
    ("expected", "ending", "names", "system", "reason"),
    [
        (PROVISIONED, Ending.RESET, ("init-started", "MFG_STARTED", "MFG_SUCCEEDED"), None, ""),
        (RESTORED, Ending.RESET, ("init-started", "FR_STARTED", "other", "FR_SUCCEEDED"), None, ""),
        (STARTED, Ending.POWER_OFF, ("init-started", "handover"), UP, ""),
        (RESTORE_FAILED, Ending.RESET, ("init-started", "FR_STARTED", "FR_FAILED"), None, ""),
        (RESTORED, Ending.RESET, ("init-started", "FR_STARTED", "FR_FAILED"), None, "the unit reported FR_FAILED"),
        (
            RESTORED,
            Ending.RESET,
            ("init-started", "handover"),
            None,
            "milestone 'FR_STARTED' was not reached (ended by reset)",
        ),
        (
            RESTORED,
            Ending.RESET,
            ("init-started", "FR_SUCCEEDED", "FR_STARTED"),
            None,
            "milestone 'FR_SUCCEEDED' was not reached (ended by reset)",
        ),
        (
            STARTED,
            Ending.TIMEOUT,
            ("init-started", "handover"),
            None,
            "expected the guest to end by power-off, it ended by timeout",
        ),
        (
            STARTED,
            Ending.POWER_OFF,
            ("init-started", "handover"),
            None,
            "expected the system to report 'multi-user', it reported 'nothing'",
        ),
        (
            STARTED,
            Ending.POWER_OFF,
            ("init-started", "handover"),
            GuestReport("degraded", 1.0, {}),
            "expected the system to report 'multi-user', it reported 'degraded'",
        ),
        (STARTED, Ending.CRASHED, (), None, "milestone 'init-started' was not reached (ended by crashed)"),
    ],
)
def test_unmet_expectations(
    expected: Expectation, ending: Ending, names: tuple[str, ...], system: GuestReport | None, reason: str
) -> None:
    assert unmet_expectation(expected, ending, said(*names), system) == reason


def result(name: str, verdict: StageVerdict = StageVerdict.PASSED, system: GuestReport | None = None) -> StageResult:
    reached = said("init-started", "handover")
    return StageResult(
        name=name,
        verdict=verdict,
        reason="",
        ending=Ending.RESET,
        seconds=31.26,
        milestones=reached,
        system=system,
        serial_log=f"/work/serial-{name}.log",
    )


def test_the_report_of_a_good_run() -> None:
    facts = RunFacts("uefi", "LAB0001", "tcg", {"image": "ab"})
    report = json.loads(json.dumps(lab_report(facts, [result("provision"), result("boot", system=UP)])))
    assert report["verdict"] == "passed"
    assert report["products"] == {"image": "ab"}
    assert [stage["name"] for stage in report["stages"]] == ["provision", "boot"]
    boot = report["stages"][1]
    assert (boot["seconds"], boot["init_uptime"], boot["handover_uptime"]) == (31.3, 2.0, 3.0)
    assert boot["system"] == {"verdict": "multi-user", "uptime": 20.25, "failed": ""}
    assert boot["serial_log"] == "serial-boot.log"


@pytest.mark.parametrize("results", [[], [result("provision"), result("restore", StageVerdict.FAILED)]])
def test_a_run_without_stages_or_with_a_failed_one_has_failed(results: list[StageResult]) -> None:
    assert lab_report(RunFacts("uefi", "LAB0001", "tcg"), results)["verdict"] == "failed"


def test_a_milestone_that_was_not_reached_has_no_uptime() -> None:
    assert result("boot").uptime_at("FR_STARTED") is None


def test_last_lines_have_no_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "serial.log"
    log.write_bytes(b"old\r\n\x1b[2J\x1b[01;01Hboot\xff\r\n\r\n  last line  \r\n")
    assert last_lines(str(log), 2) == ("[2J[01;01Hboot\N{REPLACEMENT CHARACTER}", "last line")
    assert last_lines(str(tmp_path / "none")) == ()
