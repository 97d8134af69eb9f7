"""Replies after which it is not clear at once whether the drive began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gprov.adapters.fake.drives.nvme import NvmeBehaviour
from gprov.adapters.fake.drives.nvme_sanitize import SanitizeFaults
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply
from gprov.domain.erase.nvme.erase import erase
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import Opcode, SanitizeAction, SanitizeParameters
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog, SanitizeState, serialise_sanitize_log
from gprov.domain.formats.nvme.status import Status
from tests.unit.erase.nvme.runs import Bench, bench

BLOCK, USER = Technique.NVME_SANITIZE_BLOCK, Technique.NVME_FORMAT_USER
COMPLETED, REFUSED, FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.REFUSED, TechniqueStatus.FAILED
Answer = Callable[[NvmeCommand], NvmeReply | NoReply]
UNCLEAR = pytest.mark.parametrize("reply", [NoReply("time limit"), NvmeReply(0x371)], ids=["none", "aborted"])


def erased(made: Bench, technique: Technique, answer: Answer) -> TechniqueResult:
    result = made.run(erase(technique, 1, frozenset({1})), answer=answer)
    assert result is not None
    return result


def replacing(made: Bench, opcode: Opcode, reply: NvmeReply | NoReply, *, carried_out: bool) -> Answer:
    def answer(command: NvmeCommand) -> NvmeReply | NoReply:
        if command.opcode != opcode:
            return made.drive.nvme(command)
        if carried_out:
            made.drive.nvme(command)
        return reply

    return answer


@UNCLEAR
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_sanitize_command_without_reply_counts_if_the_log_shows_it(
    reply: NvmeReply | NoReply, carried_out: bool
) -> None:
    made = bench()
    result = erased(made, BLOCK, replacing(made, Opcode.SANITIZE, reply, carried_out=carried_out))
    assert result.status is (COMPLETED if carried_out else FAILED)
    assert made.data == {1: "gone" if carried_out else "old"}


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_error_is_a_refusal_only_if_the_log_did_not_change(carried_out: bool) -> None:
    made = bench()
    reply = NvmeReply(Status.INVALID_FIELD)
    result = erased(made, BLOCK, replacing(made, Opcode.SANITIZE, reply, carried_out=carried_out))
    assert result.status is (FAILED if carried_out else REFUSED)


def test_another_operation_in_progress_is_no_evidence() -> None:
    """The log before: a block erase succeeded. Then another operation, and again what was there before."""
    before = SanitizeLog(state=SanitizeState.SUCCEEDED, scdw10=2)
    logs = [before, replace(before, state=SanitizeState.IN_PROGRESS, sprog=5, scdw10=4)]
    made = bench()

    def answer(command: NvmeCommand) -> NvmeReply | NoReply:
        if command.opcode == Opcode.GET_LOG_PAGE:
            return NvmeReply(0, data=serialise_sanitize_log(logs.pop(0) if logs else before))
        return NvmeReply(0) if command.opcode == Opcode.SANITIZE else made.drive.nvme(command)

    assert erased(made, BLOCK, answer).status is FAILED


@pytest.mark.parametrize("status", [0x004, 0x006, 0x021, 0x084, 0x280, 0x371, 0x7FF])
def test_an_error_that_can_come_from_the_middle_of_a_format_is_a_failure(status: int) -> None:
    made = bench()
    result = erased(made, USER, replacing(made, Opcode.FORMAT_NVM, NvmeReply(status), carried_out=False))
    assert result.status is FAILED
    assert f"0x{status:03X}" in result.detail


def test_a_format_is_not_repeated_if_the_failure_mode_cannot_be_left() -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    made.drive.sanitize.command(SanitizeParameters(SanitizeAction.BLOCK_ERASE, unrestricted=True))
    made.clock.advance(1000)
    reply = NvmeReply(Status.INVALID_FIELD)
    result = erased(made, USER, replacing(made, Opcode.SANITIZE, reply, carried_out=False))
    assert result.status is REFUSED
    assert "Sanitize Failed" in result.detail
    assert len(made.sent(Opcode.FORMAT_NVM)) == 1
