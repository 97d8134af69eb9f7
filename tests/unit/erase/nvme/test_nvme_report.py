"""Report of NVMe drives: offers, refusals with reasons, and no command that changes anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gprov.adapters.fake.drives.nvme import FULL_CONTROLLER, NvmeBehaviour
from gprov.adapters.fake.drives.nvme_sanitize import SanitizeFaults
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.nvme.erase import erase
from gprov.domain.erase.nvme.report import report
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import SanitizeAction, SanitizeParameters
from gprov.domain.formats.nvme.controller import ERASE_ALL_NAMESPACES, FORMAT_CRYPTO, NAMESPACE_MANAGEMENT
from tests.unit.erase.nvme.runs import Bench, bench

CRYPTO, BLOCK = Technique.NVME_SANITIZE_CRYPTO, Technique.NVME_SANITIZE_BLOCK
FORMAT_CRYPTO_ERASE, FORMAT_USER = Technique.NVME_FORMAT_CRYPTO, Technique.NVME_FORMAT_USER


def reported(made: Bench, *scope: int) -> DriveReport:
    result = made.run(report(1, frozenset(scope or (1,))))
    assert result is not None
    assert made.written_commands == []
    return result


def offered(result: DriveReport) -> set[Technique]:
    return {offer.technique for offer in result.offers}


def reason(result: DriveReport, technique: Technique) -> str:
    return next((refusal.reason for refusal in result.refusals if refusal.technique is technique), "")


def test_a_drive_with_everything() -> None:
    result = reported(bench(NvmeBehaviour(sanitize_seconds=42)))
    assert offered(result) == {CRYPTO, BLOCK, FORMAT_CRYPTO_ERASE, FORMAT_USER}
    assert {offer.technique: offer.seconds for offer in result.offers}[BLOCK] == 42
    assert result.firmware == "1.0"
    assert result.refusals == ()
    assert result.in_progress is None


def test_capabilities_decide() -> None:
    made = bench(controller=replace(FULL_CONTROLLER, sanicap=0, fna=0))
    result = reported(made)
    assert offered(result) == {FORMAT_USER}
    assert "SANICAP" in reason(result, BLOCK)
    assert "FNA" in reason(result, FORMAT_CRYPTO_ERASE)
    result = reported(bench(controller=replace(FULL_CONTROLLER, oacs=0, sanicap=2)))
    assert offered(result) == {BLOCK}
    assert "OACS" in reason(result, FORMAT_USER)


@pytest.mark.parametrize("detached", [False, True])
def test_sanitize_is_refused_while_another_namespace_must_keep_its_data(detached: bool) -> None:
    made = bench(NvmeBehaviour(detached=frozenset({7}))) if detached else bench(numbers=(1, 7))
    result = reported(made)
    assert offered(result) == {FORMAT_CRYPTO_ERASE, FORMAT_USER}
    assert "namespace 7 must keep its data" in reason(result, CRYPTO)
    assert offered(reported(made, 1, 7)) == {CRYPTO, BLOCK, FORMAT_CRYPTO_ERASE, FORMAT_USER}


def test_a_format_of_all_namespaces_is_refused_while_another_one_must_keep_its_data() -> None:
    controller = replace(FULL_CONTROLLER, fna=FORMAT_CRYPTO | ERASE_ALL_NAMESPACES)
    assert offered(reported(bench(numbers=(1, 2), controller=controller))) == set()
    assert FORMAT_USER in offered(reported(bench(numbers=(1, 2), controller=controller), 1, 2))


def test_a_namespace_out_of_scope_gets_no_offer() -> None:
    result = reported(bench(numbers=(1, 2)), 2)
    assert offered(result) == set()
    assert "must keep its data" in reason(result, FORMAT_USER)


def test_the_first_namespaces_of_a_long_list_are_not_all() -> None:
    numbers = tuple(range(1, 1200))
    made = bench(numbers=numbers)
    assert "1199" in reason(reported(made, *range(1, 1199)), CRYPTO)
    assert CRYPTO in offered(reported(made, *numbers))


def test_a_write_protected_namespace_is_refused() -> None:
    result = reported(bench(NvmeBehaviour(protected=frozenset({1}))))
    assert offered(result) == set()
    assert reason(result, BLOCK) == reason(result, FORMAT_USER) == "the namespace is write protected"


def test_a_format_in_progress_is_refused() -> None:
    made = bench()
    made.drive.namespaces[1] = replace(made.drive.namespaces[1], fpi=0x80 | 30)
    result = reported(made)
    assert offered(result) == set()
    assert "30 % remain" in reason(result, FORMAT_USER)


def test_a_sanitize_operation_in_progress_is_reported() -> None:
    made = bench()
    made.run(erase(BLOCK, 1, frozenset({1})), stop_after=2)
    sent = len(made.written_commands)
    result = made.run(report(1, frozenset({1})))
    assert result is not None
    assert result.in_progress is BLOCK
    assert offered(result) == set()
    assert "in progress" in reason(result, FORMAT_USER)
    assert len(made.written_commands) == sent


def test_after_a_failed_sanitize_only_sanitize_is_offered() -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    made.run(erase(BLOCK, 1, frozenset({1})))
    result = made.run(report(1, frozenset({1})))
    assert result is not None
    assert offered(result) == {CRYPTO, BLOCK}
    assert "only another one that succeeds" in reason(result, FORMAT_USER)
    assert any("only another one that succeeds" in note for note in result.notes)


def test_after_a_failed_unrestricted_sanitize_formats_are_offered() -> None:
    made = bench(NvmeBehaviour(sanitize=SanitizeFaults(fails=True)))
    made.drive.sanitize.command(SanitizeParameters(SanitizeAction.BLOCK_ERASE, unrestricted=True))
    made.clock.advance(1000)
    assert offered(reported(made)) == {CRYPTO, BLOCK, FORMAT_CRYPTO_ERASE, FORMAT_USER}


def test_a_drive_that_does_not_answer_is_refused_with_the_reason() -> None:
    result = reported(bench(NvmeBehaviour(dies_at=0)))
    assert offered(result) == set()
    assert len(result.refusals) == 4
    assert "the drive is gone" in reason(result, CRYPTO)


def test_what_no_block_address_reaches_is_stated() -> None:
    result = reported(bench(controller=replace(FULL_CONTROLLER, unallocated=4096, rpmbs=1)))
    assert "4096 bytes that belong to no namespace" in result.not_examined
    assert "replay protected memory block" in result.not_examined


def test_a_controller_without_lists_has_one_namespace_if_it_can_have_only_one() -> None:
    old = replace(FULL_CONTROLLER, oacs=FULL_CONTROLLER.oacs & ~NAMESPACE_MANAGEMENT, sanicap=0, namespaces=1)
    old = replace(old, fna=ERASE_ALL_NAMESPACES)
    made = bench(numbers=(), controller=old)
    assert offered(reported(made)) == set()
    assert FORMAT_USER in offered(reported(bench(controller=old)))
