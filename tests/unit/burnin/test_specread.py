"""``BurnIn`` of manufData.json: what is accepted acts, everything else is a problem with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.burnin.spec import BurnInSpec, CpuTest, DiskTest, Limits, MemoryTest
from gprov.domain.mfg.burnin.specread import read_burn_in
from tests.unit.mfg.test_manuf import changed, parse

FULL: dict[str, Json] = {
    "DevCodeName": "QEMU-mfg-test",
    "TimeLimit": 3600,
    "Cpu": {"Seconds": 600},
    "Memory": {"Percent": 80, "Loops": 2},
    "Disks": {"Seconds": 60, "WriteTest": True, "MinReadMBs": 100, "MinWriteMBs": 50},
    "Limits": {"MaxTemperature": 90, "MaxCorrectedErrors": 0, "MaxDiskErrors": 1},
}


def read(**changes: Json) -> tuple[BurnInSpec, list[str]]:
    """Without the keys whose value is None."""
    entry = JsonObject({key: value for key, value in {**FULL, **changes}.items() if value is not None}, "$.b", [])
    return read_burn_in(entry), [str(problem) for problem in entry.problems]


def test_every_key_is_read() -> None:
    assert read() == (
        BurnInSpec(
            code_name="QEMU-mfg-test",
            time_limit=3600,
            cpu=CpuTest(600),
            memory=MemoryTest(80, 2),
            disks=DiskTest(seconds=60, writes=True, min_read=100, min_write=50),
            limits=Limits(max_temperature=90, max_corrected=0, max_disk_errors=1),
        ),
        [],
    )


def test_what_is_not_given_is_not_tested_or_not_limited() -> None:
    spec, problems = read(Memory=None, Disks={"Seconds": 5}, Limits=None)
    assert problems == []
    assert (spec.memory, spec.limits) == (None, Limits(max_temperature=None, max_corrected=None, max_disk_errors=0))
    assert spec.disks == DiskTest(seconds=5)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Cpu": None, "Memory": None, "Disks": None}, "$.b: has none of Cpu, Memory and Disks"),
        ({"TimeLimit": 720}, "$.b.TimeLimit: is 720 s, but Cpu and Disks take 720 s"),
        ({"TimeLimit": None}, "$.b.TimeLimit: is missing"),
        ({"Cpu": {}}, "$.b.Cpu.Seconds: is missing"),
        ({"Cpu": {"Seconds": 0}}, "$.b.Cpu.Seconds: must be 1..604800, is 0"),
        ({"Memory": {"Percent": 96}}, "$.b.Memory.Percent: must be 1..95, is 96"),
        ({"Disks": {"Seconds": 1, "MinWriteMBs": 1}}, "$.b.Disks.MinWriteMBs: is given, but nothing is written"),
        ({"Disks": {"Seconds": 1, "MinReadMB": 1}}, "$.b.Disks.MinReadMB: unknown key; known: Seconds, WriteTest"),
        ({"Limits": {"MaxTemp": 90}}, "$.b.Limits.MaxTemp: unknown key"),
        ({"MaxTemperature": 90}, "$.b.MaxTemperature: unknown key"),
        ({"DevCodeName": ""}, "$.b.DevCodeName: must not be empty"),
    ],
)
def test_what_is_refused(changes: dict[str, Json], expected: str) -> None:
    _, problems = read(**changes)
    assert any(problem.startswith(expected) for problem in problems), problems


def test_a_comment_is_no_unknown_key() -> None:
    assert read(_note="x")[1] == []


def add(entry: Json) -> dict[str, Any]:
    def change(document: Any) -> None:
        document["BurnIn"] = entry

    return changed(change)


def test_it_is_part_of_manuf_data() -> None:
    data = parse(add([FULL]))
    found = data.burn_in_for("QEMU-mfg-test")
    assert found == read()[0]
    assert data.burn_in_for("other") is None


def test_a_platform_has_one_burn_in() -> None:
    with pytest.raises(BadInput, match=r"\$\.BurnIn\[1\]\.DevCodeName: QEMU-mfg-test has an entry already"):
        parse(add([FULL, FULL]))


def test_a_platform_without_specification_never_burns_in() -> None:
    warnings = parse(add([{**FULL, "DevCodeName": "other"}])).warnings
    assert "other has no entry in ValidationData: its burn-in never runs" in [one.message for one in warnings]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.dictionaries(
            st.sampled_from([*FULL, "Seconds", "Percent", "Loops", "MinReadMBs", "WriteTest"]), inner, max_size=5
        ),
    )
)
def test_any_value_is_read_or_refused(value: Json) -> None:
    entry = JsonObject(value if isinstance(value, dict) else {"Cpu": value}, "$", [])
    spec = read_burn_in(entry)
    assert entry.problems or (spec.time_limit > spec.planned and (spec.cpu or spec.memory or spec.disks))
