"""The verdict: what exceeds a limit fails, and only that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.apps.host.cli.qa_sample import BURN_IN, DISK
from gprov.domain.mfg.burnin.diskcounters import DiskCounters
from gprov.domain.mfg.burnin.judge import Found, judge, not_measured, too_hot, unmeasured
from gprov.domain.mfg.burnin.loads import CpuLoad, LoadResult, MemoryLoad, ReadLoad, WriteLoad
from gprov.domain.mfg.burnin.plan import BurnInPlan
from gprov.domain.mfg.burnin.readings import MemoryErrors, Readings, Temperature
from gprov.domain.mfg.burnin.report import BurnInReport, BurnInVerdict, Check, report_text
from gprov.domain.mfg.burnin.spec import BurnInSpec, DiskTest, Limits

SPEC = BurnInSpec(
    code_name="x",
    time_limit=100,
    disks=DiskTest(seconds=5, writes=True, min_read=100, min_write=50),
    limits=Limits(max_temperature=90, max_corrected=2),
)
PLAN = BurnInPlan(SPEC, (), (DISK,))
COUNTERS = DiskCounters((("pending sectors", 3), ("CRC errors of the interface", 7)))
BEFORE = Readings(
    temperatures=(Temperature("cpu", 40.0),),
    memory=MemoryErrors(5, 0),
    hardware_errors=(),
    disks=(COUNTERS,),
)
GOOD = Found(
    results=(
        LoadResult(CpuLoad(2, 5), (), 1000.0),
        LoadResult(MemoryLoad(0, 1 << 30, 1)),
        LoadResult(ReadLoad(DISK, 5), (), 100e6),
        LoadResult(WriteLoad(DISK, 5), (), 50e6),
    ),
    hottest=(Temperature("cpu", 90.0),),
    hardware_errors=(),
    before=BEFORE,
    after=replace(BEFORE, memory=MemoryErrors(7, 0)),
)


def failed(found: Found, plan: BurnInPlan = PLAN) -> list[tuple[str, str, str]]:
    return [(check.quantity, check.measured, check.limit) for check in judge(plan, found) if not check.passed]


def test_values_at_their_limits_pass() -> None:
    assert failed(GOOD) == []
    assert len(judge(PLAN, GOOD)) == 13


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            replace(GOOD, results=(LoadResult(ReadLoad(DISK, 5), (), 99.9e6),)),
            ("reading of /dev/sda", "99.9 MB/s", "at least 100 MB/s"),
        ),
        (
            replace(GOOD, results=(LoadResult(WriteLoad(DISK, 5), (), 1e6),)),
            ("writing of /dev/sda", "1.0 MB/s", "at least 50 MB/s"),
        ),
        (
            replace(GOOD, results=(LoadResult(MemoryLoad(1, 1 << 30, 1), tuple("abcdefg")),)),
            ("memory errors, part 2", "7: a; b; c; d; e; and 2 more", "none"),
        ),
        (
            replace(GOOD, results=(LoadResult(CpuLoad(1, 1), ("wrong",)),)),
            ("wrong results of processors", "1: wrong", "none"),
        ),
        (replace(GOOD, hottest=(Temperature("cpu", 90.6),)), ("temperature of cpu", "91 °C", "at most 90 °C")),
        (
            replace(GOOD, after=replace(BEFORE, memory=MemoryErrors(8, 0))),
            ("corrected memory errors (ECC)", "3", "at most 2"),
        ),
        (
            replace(GOOD, after=replace(BEFORE, memory=MemoryErrors(5, 1))),
            ("uncorrected memory errors (ECC)", "1", "none"),
        ),
        (
            replace(GOOD, after=replace(BEFORE, disks=(DiskCounters((("pending sectors", 5),)),))),
            ("new errors of /dev/sda (SMART)", "2 pending sectors", "at most 0"),
        ),
        (
            replace(GOOD, after=replace(BEFORE, disks=(replace(COUNTERS, warnings=("the media are read-only",)),))),
            ("warnings of /dev/sda (SMART)", "1: the media are read-only", "none"),
        ),
        (
            replace(GOOD, after=replace(BEFORE, disks=(None,))),
            ("error counters of /dev/sda", "no longer readable", "readable"),
        ),
        (
            replace(GOOD, hardware_errors=("mce: [Hardware Error]: CPU 0: Uncorrected error",)),
            (
                "hardware errors in the kernel's log",
                "1: mce: [Hardware Error]: CPU 0: Uncorrected error",
                "none",
            ),
        ),
    ],
)
def test_each_limit_fails_alone(found: Found, expected: tuple[str, str, str]) -> None:
    assert failed(found) == [expected]


def test_a_number_of_disk_errors_may_be_allowed() -> None:
    plan = replace(PLAN, spec=replace(SPEC, limits=replace(SPEC.limits, max_disk_errors=2)))
    worse = DiskCounters((("pending sectors", 4), ("CRC errors of the interface", 8)))
    assert failed(replace(GOOD, after=replace(BEFORE, disks=(worse,))), plan) == []


def test_log_lines_about_corrected_errors_count_only_where_none_are_allowed() -> None:
    lines = (
        "[Hardware Error]: Corrected error, no action required.",
        "mce: [Hardware Error]: Machine check events logged",
    )
    found = replace(GOOD, hardware_errors=lines)
    assert failed(found) == []
    strict = replace(PLAN, spec=replace(SPEC, limits=Limits()))
    assert [one[0] for one in failed(replace(found, after=BEFORE), strict)] == ["hardware errors in the kernel's log"]


def test_a_limit_of_something_that_is_not_measured_is_reported() -> None:
    blind = Readings(temperatures=(), memory=None, hardware_errors=(), disks=(None,))
    assert [text.partition(":")[0] for text in unmeasured(PLAN, blind)] == ["MaxTemperature", "MaxCorrectedErrors"]
    assert unmeasured(replace(PLAN, spec=replace(SPEC, limits=Limits())), blind) == ()
    assert len(not_measured(PLAN, blind)) == 3
    assert unmeasured(PLAN, BEFORE) == not_measured(PLAN, BEFORE) == ()


def test_too_hot() -> None:
    hot = (Temperature("a", 90.1), Temperature("b", 90.0))
    assert too_hot(hot, 90) == hot[:1]
    assert too_hot(hot, None) == ()


def test_aborted_is_not_failed_but_a_failure_before_the_end_counts() -> None:
    bad = Check("x", "1", "none", passed=False)
    assert BURN_IN.verdict is BurnInVerdict.PASSED
    aborted = replace(BURN_IN, reason="by a person at the unit")
    assert aborted.verdict is BurnInVerdict.ABORTED
    assert aborted.describe() == "aborted after 1805 s: by a person at the unit"
    assert replace(aborted, checks=(bad,)).verdict is BurnInVerdict.FAILED
    assert replace(BURN_IN, checks=(bad, bad)).describe() == "failed: x: measured 1, limit none (and 1 more)"


def test_the_report_is_json_whatever_devices_are_called() -> None:
    report = BurnInReport(
        started_ns=0, seconds=1.26, tests=("\ud800",), checks=(Check("<x>", "\ud801"),), notes=("\0",)
    )
    document = json.loads(report_text(report, "SN-1", "box").encode())
    assert document["verdict"] == "passed"
    assert document["tests"] == ["?"]
    assert document["checks"] == [{"quantity": "<x>", "measured": "?", "limit": "", "passed": True}]
    assert (document["started"], document["seconds"]) == ("1970-01-01T00:00:00.000Z", 1.3)


def test_sensors_and_counters_that_are_gone_after_the_load() -> None:
    """A driver that fails under load would else hide what a limit is given for."""
    gone = replace(GOOD, after=replace(BEFORE, temperatures=(), memory=None))
    assert failed(gone) == [
        ("temperature sensors", "no longer readable", "readable"),
        ("counters of memory errors (ECC)", "no longer readable", "readable"),
    ]
    without = BurnInPlan(replace(SPEC, limits=Limits()), (), (DISK,))
    assert failed(replace(gone, after=replace(BEFORE, temperatures=())), without) == []
    assert failed(replace(gone, after=None)) == []
