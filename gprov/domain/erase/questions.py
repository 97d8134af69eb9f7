"""Texts by which a person confirms an erase, and the messages after it."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.disk.model import Disk
from gprov.domain.erase.outcome import DiskOutcome, Verdict
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.scope import Scope
from gprov.domain.erase.techniques import TECHNIQUES


def first_question(serial: str, scope: Scope, request: EraseRequest) -> str:
    also = "".join(f", and {what}" for what in machine_data(request))
    return f"Erase {_disks_text(scope.disks)} of unit {serial}{also}?"


def machine_data(request: EraseRequest) -> tuple[str, ...]:
    """What is erased besides disks."""
    named = ", ".join(choice.text() for choice in request.uefi_variables)
    variables = f"UEFI variables of earlier systems{f' and {named}' if named else ''}"
    wanted = ((request.clear_uefi_variables, variables), (request.clear_tpm, "all that the TPM holds"))
    return tuple(what for asked, what in wanted if asked)


def unrecorded_question(problem: str) -> str:
    return (
        f"The erase cannot be recorded on RECOVERY ({problem}). After a power cut it would NOT go on, and no report "
        "would be kept there. Erase nevertheless?"
    )


def unknown_platform_question(scope: Scope) -> str:
    disks = "; ".join(disk.describe() for disk in scope.disks)
    return f"This unit is of an unknown platform. Are these all its data disks, and are all to be erased? {disks}"


def result_text(outcomes: Sequence[DiskOutcome], missing: int) -> str:
    """One sentence per disk."""
    lines = [outcome_text(outcome) for outcome in outcomes]
    if missing:
        lines.append(f"{missing} data {'disk' if missing == 1 else 'disks'} of the platform NOT FOUND and not erased")
    return "; ".join(lines)


def outcome_text(outcome: DiskOutcome) -> str:
    name = f"{outcome.disk.node} ({outcome.disk.serial or outcome.disk.model or 'unnamed'})"
    if outcome.verdict is Verdict.ERASED and not _is_erased(outcome):
        return f"{name} erased, but only to level {outcome.achieved.value} instead of {outcome.requested.value}"
    if outcome.verdict is Verdict.ERASED and outcome.technique is not None:
        return f"{name} erased by {TECHNIQUES[outcome.technique].name}, level {outcome.achieved.value}"
    why = outcome.errors[-1] if outcome.errors else "see the log"
    return f"{name} {'ONLY PARTLY' if outcome.verdict is Verdict.PARTIAL else 'NOT'} erased: {why}"


def all_erased(outcomes: Sequence[DiskOutcome], missing: int) -> bool:
    """Whether every data disk of the unit is erased, to the requested level."""
    return not missing and bool(outcomes) and all(_is_erased(one) for one in outcomes)


def _is_erased(outcome: DiskOutcome) -> bool:
    return outcome.verdict is Verdict.ERASED and outcome.achieved.rank >= outcome.requested.rank


def _disks_text(disks: Sequence[Disk]) -> str:
    size = sum(disk.size for disk in disks) / 1e9
    return f"{len(disks)} {'disk' if len(disks) == 1 else 'disks'} ({size:.1f} GB)"
