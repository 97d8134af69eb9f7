"""NVMe Format NVM on the simulated drive: always with the secure erase that was asked for, and never with none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gprov.adapters.fake.drives.nvme import FULL_CONTROLLER, NvmeBehaviour
from gprov.adapters.fake.drives.nvme_sanitize import SanitizeFaults
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply
from gprov.domain.erase.nvme.erase import erase
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import Opcode, SanitizeAction, SanitizeParameters
from gprov.domain.formats.nvme.controller import ERASE_ALL_NAMESPACES, FORMAT_CRYPTO
from tests.unit.erase.nvme.runs import Bench, bench

CRYPTO, USER = Technique.NVME_FORMAT_CRYPTO, Technique.NVME_FORMAT_USER
# Dword 10: LBA format 1 as before, secure erase in bits 9 to 11.
DWORDS = {USER: 0x201, CRYPTO: 0x401}
BOTH = pytest.mark.parametrize("technique", [CRYPTO, USER])
COMPLETED, REFUSED, FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.REFUSED, TechniqueStatus.FAILED


def erased(made: Bench, technique: Technique, *scope: int) -> TechniqueResult:
    result = made.run(erase(technique, 1, frozenset(scope or (1,))))
    assert result is not None
    return result


def formats(made: Bench) -> list[tuple[int, int]]:
    """Namespace and dword 10 of the commands that reached the controller."""
    return [(command.namespace, command.dwords[0]) for command in made.sent(Opcode.FORMAT_NVM)]


@BOTH
def test_it_completes_with_the_present_settings(technique: Technique) -> None:
    made = bench(numbers=(1, 2))
    result = erased(made, technique)
    assert result.status is COMPLETED
    assert formats(made) == [(1, DWORDS[technique])]
    assert made.data == {1: "gone", 2: "old"}


@BOTH
def test_metadata_settings_and_protection_are_kept(technique: Technique) -> None:
    made = bench()
    made.drive.namespaces[1] = replace(made.drive.namespaces[1], flbas=0x12, dps=0x0B)
    assert erased(made, technique).status is COMPLETED
    assert formats(made) == [(1, DWORDS[technique] - 1 | 2 | 1 << 4 | 3 << 5 | 1 << 8)]


@BOTH
def test_a_setting_that_the_drive_refuses_is_not_replaced(technique: Technique) -> None:
    made = bench(NvmeBehaviour(refused_settings=frozenset({DWORDS[technique] >> 9})))
    result = erased(made, technique)
    assert result.status is REFUSED
    assert "Invalid Field" in result.detail
    assert formats(made) == [(1, DWORDS[technique])]
    assert made.data == {1: "old"}


@BOTH
def test_a_drive_that_drops_the_setting_is_left_to_the_verification(technique: Technique) -> None:
    """Format NVM leaves no record that could differ. The command that reached the drive asked for the erase."""
    made = bench(NvmeBehaviour(drops_setting=True))
    assert erased(made, technique).status is COMPLETED
    assert formats(made) == [(1, DWORDS[technique])]
    assert made.data == {1: "old"}


@BOTH
def test_a_drive_that_dies_in_the_middle_has_failed(technique: Technique) -> None:
    made = bench(NvmeBehaviour(dies_at=5))
    result = erased(made, technique)
    assert result.status is FAILED
    assert "no reply" in result.detail


@BOTH
def test_another_format_than_asked_for_is_a_failure(technique: Technique) -> None:
    result = erased(bench(NvmeBehaviour(changes_format=True)), technique)
    assert result.status is FAILED
    assert "changed the LBA format" in result.detail


def test_crypto_erase_is_not_sent_to_a_controller_without_it() -> None:
    made = bench(controller=replace(FULL_CONTROLLER, fna=0))
    assert erased(made, CRYPTO).status is REFUSED
    assert made.written_commands == []


def test_a_format_of_all_namespaces_needs_all_of_them_in_scope() -> None:
    controller = replace(FULL_CONTROLLER, fna=FORMAT_CRYPTO | ERASE_ALL_NAMESPACES)
    made = bench(numbers=(1, 2), controller=controller)
    assert erased(made, USER).status is REFUSED
    assert made.written_commands == []
    assert erased(made, USER, 1, 2).status is COMPLETED
    assert made.data == {1: "gone", 2: "gone"}


def test_a_namespace_out_of_scope_is_not_formatted() -> None:
    made = bench(numbers=(1, 2))
    assert erased(made, USER, 2).status is REFUSED
    assert made.written_commands == []


def test_a_format_index_that_does_not_fit_the_command_is_refused() -> None:
    made = bench()
    now = made.drive.namespaces[1]
    made.drive.namespaces[1] = replace(now, formats=now.formats * 10, flbas=0x21)
    result = erased(made, USER)
    assert result.status is REFUSED
    assert "LBA format 17" in result.detail
    assert made.written_commands == []


def failed_sanitize(*, unrestricted: bool) -> Bench:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    made.drive.sanitize.command(SanitizeParameters(SanitizeAction.BLOCK_ERASE, unrestricted))
    made.clock.advance(1000)
    made.drive.sanitize.advance()
    return made


def test_the_failure_mode_is_left_only_where_that_is_permitted() -> None:
    made = failed_sanitize(unrestricted=True)
    assert erased(made, USER).status is COMPLETED
    assert [command.dwords[0] for command in made.sent(Opcode.SANITIZE)] == [1]
    assert formats(made) == [(1, DWORDS[USER])] * 2
    made = failed_sanitize(unrestricted=False)
    assert erased(made, USER).status is REFUSED
    assert made.written_commands == []


def test_a_failure_mode_that_was_left_before_is_not_left_again() -> None:
    made = failed_sanitize(unrestricted=True)
    made.drive.sanitize.command(SanitizeParameters(SanitizeAction.EXIT_FAILURE_MODE))
    assert erased(made, USER).status is COMPLETED
    assert made.sent(Opcode.SANITIZE) == []


@pytest.mark.parametrize("remaining", [(60, 10), (100,) * 30])
def test_a_format_in_progress_afterwards_is_waited_for(remaining: tuple[int, ...]) -> None:
    made, left = bench(), list(remaining)
    namespace = made.drive.namespaces[1]

    def answer(command: NvmeCommand) -> NvmeReply | NoReply:
        after = bool(formats(made)) and command.opcode == Opcode.IDENTIFY
        made.drive.namespaces[1] = replace(namespace, fpi=0x80 | (left.pop(0) if after and left else 0))
        return made.drive.nvme(command)

    result = made.run(erase(USER, 1, frozenset({1})), limit=100, answer=answer)
    assert result is not None
    assert result.status is (COMPLETED if len(remaining) == 2 else FAILED)
    assert made.progress[: len(remaining)] == [1 - one / 100 for one in remaining[: len(made.progress)]]
