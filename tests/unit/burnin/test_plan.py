"""The plan of a burn-in: phases, and how much memory is tested."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gprov.apps.host.cli.qa_sample import DISK, STICK
from gprov.domain.disk.layout import MIB
from gprov.domain.errors import HardwareMismatch
from gprov.domain.mfg.burnin.loads import CpuLoad, MemoryLoad, ReadLoad, WriteLoad
from gprov.domain.mfg.burnin.plan import LEAST_SHARE, RESERVE, Resources, plan_burn_in
from gprov.domain.mfg.burnin.spec import BurnInSpec, CpuTest, DiskTest, MemoryTest

GIB = 1 << 30
SPEC = BurnInSpec(
    code_name="x", time_limit=100, cpu=CpuTest(10), memory=MemoryTest(50, 1), disks=DiskTest(seconds=5, writes=True)
)


def test_phases_are_in_a_fixed_order_and_writing_is_last() -> None:
    plan = plan_burn_in(SPEC, Resources(4, 4 * GIB, 3 * GIB), [DISK, STICK])
    assert [phase.loads for phase in plan.phases] == [
        (CpuLoad(4, 10),),
        tuple(MemoryLoad(number, 512 * MIB, 1) for number in range(4)),
        (ReadLoad(DISK, 5), ReadLoad(STICK, 5)),
        (WriteLoad(DISK, 5), WriteLoad(STICK, 5)),
    ]
    assert plan.notes == ()


def test_nothing_is_written_unless_it_is_asked_for() -> None:
    spec = replace(SPEC, disks=DiskTest(seconds=5))
    plan = plan_burn_in(spec, Resources(4, 4 * GIB, 3 * GIB), [DISK])
    assert not any(isinstance(load, WriteLoad) for phase in plan.phases for load in phase.loads)


def test_less_memory_than_asked_for_is_noted() -> None:
    plan = plan_burn_in(SPEC, Resources(2, 4 * GIB, GIB), [DISK])
    assert plan.notes == (f"{1024 - 192} MiB of memory are tested, not 2048: the rest is in use or reserved",)


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(HardwareMismatch, match="too little memory"):
        plan_burn_in(SPEC, Resources(2, GIB, RESERVE + LEAST_SHARE - 1), [DISK])


@given(
    st.integers(1, 256),
    st.integers(1, 2**42),
    st.integers(0, 2**42),
    st.integers(1, 95),
)
def test_the_memory_test_leaves_the_reserve(processors: int, total: int, available: int, percent: int) -> None:
    assume(available <= total)
    spec = replace(SPEC, memory=MemoryTest(percent, 1))
    try:
        plan = plan_burn_in(spec, Resources(processors, total, available), [])
    except HardwareMismatch:
        assert min(total * percent // 100, available - RESERVE) < LEAST_SHARE
        return
    loads = [load for phase in plan.phases for load in phase.loads if isinstance(load, MemoryLoad)]
    tested = sum(load.size for load in loads)
    assert 1 <= len(loads) <= processors
    assert all(load.size >= LEAST_SHARE // 2 and load.size % MIB == 0 for load in loads)
    assert tested <= available - RESERVE
    assert tested <= total * percent // 100
    assert tested > (min(total * percent // 100, available - RESERVE) - len(loads) * MIB)
