"""SCSI SANITIZE against the simulated drive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.drives.faults import DriveFaults
from gprov.adapters.fake.drives.scsi import ScsiModel
from gprov.domain.erase.drive_io import ScsiCommand, ScsiReply
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.erase.scsi.drive import erase, resume
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.scsi import commands as scsi
from tests.unit.erase.scsi_driver import CONTENT, HOUR, scsi_bench

ALL = [Technique.SCSI_SANITIZE_CRYPTO, Technique.SCSI_SANITIZE_BLOCK, Technique.SCSI_SANITIZE_OVERWRITE]
ACTION = {ALL[0]: 3, ALL[1]: 2, ALL[2]: 1}
COMPLETED, REFUSED, FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.REFUSED, TechniqueStatus.FAILED


@pytest.mark.parametrize("technique", ALL)
@pytest.mark.parametrize("seconds", [0.0, 60.0, 10 * HOUR])
@pytest.mark.parametrize("descriptors", [True, False])
def test_an_operation_is_waited_for_and_completed(technique: Technique, seconds: float, descriptors: bool) -> None:
    bench = scsi_bench(ScsiModel(sanitize_seconds=seconds, descriptor_sense=descriptors))
    assert bench.run(erase(technique)).status is COMPLETED
    assert bench.erased
    assert bench.progress == sorted(bench.progress)
    assert bool(bench.progress) == bool(seconds)


def test_an_overwrite_leaves_its_pattern() -> None:
    bench = scsi_bench()
    bench.run(erase(Technique.SCSI_SANITIZE_OVERWRITE))
    assert not any(bench.store.content)


@pytest.mark.parametrize("technique", ALL)
def test_what_the_drive_does_not_support_is_refused(technique: Technique) -> None:
    bench = scsi_bench(ScsiModel(sanitize=frozenset({1, 2, 3} - {ACTION[technique]})))
    assert bench.run(erase(technique)).status is REFUSED
    without = scsi_bench(ScsiModel(reports_codes=False))
    assert without.run(erase(technique)).status is REFUSED
    assert not any(command.cdb[0] == 0x48 for command in (*bench.disk.received, *without.disk.received))


def test_a_failed_operation_is_a_failure_and_can_be_repeated() -> None:
    bench = scsi_bench(faults=DriveFaults(sanitize_fails=True))
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert "31h/03h" in result.detail
    assert not bench.disk.sanitize_failed
    assert not bench.erased
    assert bench.disk.scsi(ScsiCommand(scsi.test_unit_ready())) == ScsiReply(0)


def test_a_drive_whose_last_operation_failed_accepts_a_new_one() -> None:
    bench = scsi_bench()
    bench.disk.sanitize_failed = True
    assert any("failed" in note for note in bench.run(report()).notes)
    assert bench.run(erase(ALL[1])).status is COMPLETED


def test_a_drive_that_dies_is_a_failure_and_its_operation_is_resumed_after_a_power_cycle() -> None:
    bench = scsi_bench(faults=DriveFaults(dies_at=0.5))
    assert bench.run(erase(ALL[2])).status is FAILED
    assert not bench.erased
    bench.clock.restart()
    bench.disk.power_cycle()
    assert bench.run(report()).in_progress is not None
    assert bench.run(erase(ALL[0])).status is REFUSED
    assert bench.run(resume(ALL[2])).status is COMPLETED
    assert bench.erased


def test_a_resume_without_an_operation_in_progress_is_refused() -> None:
    bench = scsi_bench()
    assert bench.run(resume(ALL[0])).status is REFUSED
    assert bench.run(erase(ALL[0])).status is COMPLETED
    assert bench.run(resume(ALL[0])).status is REFUSED


def test_the_time_limit_ends_the_wait() -> None:
    bench = scsi_bench(ScsiModel(sanitize_seconds=10 * HOUR))
    bench.limit = HOUR
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert "continues" in result.detail


def test_a_unit_attention_is_not_a_refusal() -> None:
    bench = scsi_bench()
    bench.disk.power_cycle()
    assert bench.run(erase(ALL[1])).status is COMPLETED


def test_format_unit_leaves_the_data_where_they_are() -> None:
    bench = scsi_bench()
    assert bench.disk.scsi(ScsiCommand(bytes([0x04, 0, 0, 0, 0, 0]))) is not None
    assert bytes(bench.store.content) == CONTENT


def test_a_drive_that_does_nothing_is_left_to_the_verification() -> None:
    bench = scsi_bench(faults=DriveFaults(erase_does_nothing=True))
    assert bench.run(erase(ALL[1])).status is COMPLETED
    assert not bench.erased


@given(
    technique=st.sampled_from(ALL),
    aborts=st.frozensets(st.integers(1, 12), max_size=3),
    loses=st.frozensets(st.integers(1, 12), max_size=3),
)
@settings(deadline=None)
def test_an_abort_of_any_command_never_ends_as_completed_without_an_erase(
    technique: Technique, aborts: frozenset[int], loses: frozenset[int]
) -> None:
    bench = scsi_bench(faults=DriveFaults(aborts_numbers=aborts, loses_numbers=loses))
    result = bench.run(erase(technique))
    if result.status is COMPLETED:
        assert bench.erased
    if result.status is REFUSED:
        assert not bench.erased
        assert not bench.disk.in_progress
