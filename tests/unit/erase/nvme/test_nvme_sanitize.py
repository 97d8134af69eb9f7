"""NVMe Sanitize on the simulated drive: only a fresh operation that the drive reports as completed counts."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.drives.nvme import NvmeBehaviour
from gprov.adapters.fake.drives.nvme_sanitize import SanitizeFaults
from gprov.domain.erase.drive_io import NvmeCommand
from gprov.domain.erase.nvme.erase import erase, resume
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import Opcode, SanitizeAction, SanitizeParameters
from gprov.domain.formats.nvme.sanitize_log import SanitizeState
from gprov.domain.formats.nvme.status import Status
from tests.unit.erase.nvme.runs import LIMIT, Bench, bench

CRYPTO, BLOCK = Technique.NVME_SANITIZE_CRYPTO, Technique.NVME_SANITIZE_BLOCK
DWORDS = {CRYPTO: 4, BLOCK: 2}
BOTH = pytest.mark.parametrize("technique", [CRYPTO, BLOCK])
COMPLETED, REFUSED, FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.REFUSED, TechniqueStatus.FAILED


def erased(made: Bench, technique: Technique = BLOCK, *scope: int, limit: float = LIMIT) -> TechniqueResult:
    result = made.run(erase(technique, 1, frozenset(scope or (1,))), limit)
    assert result is not None
    assert result.technique is technique
    return result


@BOTH
@pytest.mark.parametrize("seconds", [0, 0.1, 60, 5000])
def test_it_completes(technique: Technique, seconds: float) -> None:
    made = bench(NvmeBehaviour(sanitize_seconds=seconds))
    result = erased(made, technique)
    assert result.status is COMPLETED
    assert "succeeded" in result.detail
    assert made.data == {1: "gone"}
    assert [(one.namespace, one.dwords) for one in made.sent(Opcode.SANITIZE)] == [
        (0, (DWORDS[technique], 0, 0, 0, 0, 0))
    ]
    assert made.progress == sorted(made.progress)


def test_it_is_refused_without_a_command_while_another_namespace_must_keep_its_data() -> None:
    made = bench(numbers=(1, 2))
    assert erased(made).status is REFUSED
    assert made.written_commands == []
    assert made.data == {1: "old", 2: "old"}
    assert erased(made, BLOCK, 1, 2).status is COMPLETED
    assert made.data == {1: "gone", 2: "gone"}


def test_a_second_operation_of_the_same_kind_is_told_from_the_first() -> None:
    """At once after the command the log reads as after the first one, but for Global Data Erased before it."""
    made = bench(NvmeBehaviour(sanitize_seconds=0))
    assert erased(made).status is COMPLETED
    made.drive.written()
    assert erased(made).status is COMPLETED
    assert len(made.sent(Opcode.SANITIZE)) == 2


@pytest.mark.parametrize("written", [True, False])
def test_a_completed_state_of_an_earlier_operation_does_not_count(written: bool) -> None:
    made = bench()
    assert erased(made).status is COMPLETED
    made.data[1] = "new"
    if written:
        made.drive.written()
    made.drive.sanitize.faults = SanitizeFaults(ignored=True)
    result = erased(made)
    assert result.status is FAILED
    assert "as it was before the command" in result.detail
    assert made.data == {1: "new"}


@BOTH
def test_a_failure_is_reported_with_what_ends_it(technique: Technique) -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    result = erased(made, technique)
    assert result.status is FAILED
    assert "only another one that succeeds" in result.detail
    assert made.data == {1: "old"}


def test_a_drive_in_failure_mode_is_sanitized_again() -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    erased(made)
    assert erased(made).status is FAILED
    made.drive.sanitize.faults = SanitizeFaults()
    assert erased(made).status is COMPLETED
    assert all(one.dwords[0] == 2 for one in made.sent(Opcode.SANITIZE)), "exit failure mode is not permitted here"


@pytest.mark.parametrize(
    "faults", [SanitizeFaults(false_progress=True), SanitizeFaults(wrong_command=True)], ids=["progress", "command"]
)
def test_a_log_that_contradicts_itself_is_no_evidence(faults: SanitizeFaults) -> None:
    result = erased(bench(NvmeBehaviour(sanitize=faults)))
    assert result.status is FAILED
    assert "contradicts" in result.detail


def test_progress_that_wraps_ends_all_the_same() -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(progress_wraps=True), sanitize_seconds=900))
    assert erased(made).status is COMPLETED
    assert made.progress != sorted(made.progress)


def test_what_a_lying_drive_reports_is_left_to_the_verification() -> None:
    """The protocol only has the drive's report: nothing in it differs. The data do."""
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(erases_nothing=True)))
    assert erased(made).status is COMPLETED
    assert made.data == {1: "old"}


@pytest.mark.parametrize("dies_at", [0, 0.4, 5, 59])
def test_a_drive_that_dies_is_never_erased(dies_at: float) -> None:
    made = bench(NvmeBehaviour(dies_at=dies_at))
    result = erased(made)
    assert result.status is (REFUSED if dies_at == 0 else FAILED)
    assert "gone" in result.detail
    assert made.clock.monotonic() < 1000, "a drive that is gone is not waited for until the time limit"


def test_the_time_limit_ends_it() -> None:
    made = bench(NvmeBehaviour(sanitize_seconds=100_000))
    result = erased(made, limit=600)
    assert result.status is FAILED
    assert "time limit" in result.detail
    assert made.clock.monotonic() < 700


def test_a_command_that_the_drive_aborts_is_a_refusal() -> None:
    made = bench(NvmeBehaviour(protected=frozenset({2})), numbers=(1, 2))
    result = erased(made, BLOCK, 1, 2)
    assert result.status is REFUSED
    assert "Namespace is Write Protected" in result.detail


@BOTH
def test_it_is_followed_across_a_power_cycle(technique: Technique) -> None:
    made = bench(NvmeBehaviour(sanitize_seconds=600))
    assert made.run(erase(technique, 1, frozenset({1})), stop_after=8) is None
    made.power_cycle()
    result = made.run(resume(technique))
    assert result is not None
    assert result.status is COMPLETED
    assert made.data == {1: "gone"}
    assert len(made.sent(Opcode.SANITIZE)) == 1


def test_an_operation_that_ends_right_after_the_first_reading_counts_after_a_restart() -> None:
    made = bench(NvmeBehaviour(sanitize_seconds=600))
    assert made.run(erase(BLOCK, 1, frozenset({1})), stop_after=3) is None
    made.power_cycle()
    protocol = resume(BLOCK)
    request = next(protocol)
    assert isinstance(request, NvmeCommand)
    reply = made.drive.nvme(request)
    made.clock.advance(1000)
    request = protocol.send(reply)
    assert isinstance(request, NvmeCommand)
    with pytest.raises(StopIteration) as ended:
        protocol.send(made.drive.nvme(request))
    assert ended.value.value.status is COMPLETED


def test_an_operation_that_ended_before_the_restart_needs_the_log_of_before() -> None:
    made = bench()
    before = made.drive.sanitize.log
    made.run(erase(BLOCK, 1, frozenset({1})), stop_after=2)
    made.clock.advance(1000)
    made.power_cycle()
    unknown, known = made.run(resume(BLOCK)), made.run(resume(BLOCK, before))
    assert unknown is not None
    assert known is not None
    assert (unknown.status, known.status) == (REFUSED, COMPLETED)
    assert "unknown which one ended" in unknown.detail


def test_an_operation_that_never_began_is_not_resumed() -> None:
    made = bench()
    result = made.run(resume(BLOCK, made.drive.sanitize.log))
    assert result is not None
    assert result.status is FAILED
    assert made.written_commands == []


def test_another_operation_is_not_resumed() -> None:
    made = bench(NvmeBehaviour(sanitize_seconds=600))
    made.run(erase(CRYPTO, 1, frozenset({1})), stop_after=2)
    result = made.run(resume(BLOCK))
    assert result is not None
    assert result.status is FAILED
    assert "another sanitize operation" in result.detail


def test_formats_are_not_resumed() -> None:
    result = bench().run(resume(Technique.NVME_FORMAT_USER))
    assert result is not None
    assert result.status is FAILED


def test_a_technique_of_other_drives_is_refused() -> None:
    made = bench()
    assert erased(made, Technique.ATA_SANITIZE_BLOCK).status is REFUSED
    assert made.drive.received == []


EXIT_FAILURE = SanitizeParameters(SanitizeAction.EXIT_FAILURE_MODE)
UNRESTRICTED = SanitizeParameters(SanitizeAction.BLOCK_ERASE, unrestricted=True)
RESTRICTED = SanitizeParameters(SanitizeAction.BLOCK_ERASE)


def run_to_the_end(made: Bench, parameters: SanitizeParameters) -> SanitizeState:
    assert made.drive.sanitize.command(parameters) is Status.SUCCESS
    made.clock.advance(1000)
    made.power_cycle()
    made.drive.sanitize.advance()
    return made.drive.sanitize.log.state


def test_a_restricted_failure_of_the_simulated_drive_ends_with_a_restricted_operation_that_succeeds() -> None:
    """Base Specification 2.1, 8.1.24.3.3."""
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    assert run_to_the_end(made, RESTRICTED) is SanitizeState.FAILED
    machine = made.drive.sanitize
    assert [machine.command(one) for one in (EXIT_FAILURE, UNRESTRICTED)] == [Status.SANITIZE_FAILED] * 2
    machine.faults = SanitizeFaults()
    assert run_to_the_end(made, RESTRICTED) is SanitizeState.SUCCEEDED
    assert not machine.locked


def test_an_unrestricted_failure_of_the_simulated_drive_has_an_exit() -> None:
    """Base Specification 2.1, 8.1.24.3.5. The log states the failure afterwards as well."""
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    assert run_to_the_end(made, UNRESTRICTED) is SanitizeState.FAILED
    assert made.drive.sanitize.command(EXIT_FAILURE) is Status.SUCCESS
    assert not made.drive.sanitize.locked
    assert made.drive.sanitize.log.state is SanitizeState.FAILED


def test_only_one_operation_runs_at_a_time_on_the_simulated_drive() -> None:
    made = bench()
    assert made.drive.sanitize.command(RESTRICTED) is Status.SUCCESS
    assert made.drive.sanitize.command(RESTRICTED) is Status.SANITIZE_IN_PROGRESS
