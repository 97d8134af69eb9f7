"""Report of an NVMe drive: which of its techniques can be used, and why the others cannot."""

from __future__ import annotations

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.drive_report import DriveReport, Media, Offer, Refusal
from gprov.domain.erase.nvme.facts import DriveFacts, gather
from gprov.domain.erase.nvme.reasons import NVME_TECHNIQUES, SANITIZE_ACTIONS, failure_mode, reason_against
from gprov.domain.erase.nvme.requests import Unanswered
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog, SanitizeState


def report(namespace: int, namespaces_in_scope: frozenset[int]) -> Protocol[DriveReport]:
    """``namespace``: number of the namespace that the disk is. ``namespaces_in_scope``: numbers of all namespaces of
    the same drive whose data may be destroyed. Sends Identify and Get Log Page only."""
    facts = yield from gather(namespace, namespaces_in_scope)
    if isinstance(facts, Unanswered):
        return DriveReport(
            media=Media.SOLID_STATE, refusals=tuple(Refusal(one, facts.reason) for one in NVME_TECHNIQUES)
        )
    reasons = {technique: reason_against(technique, facts) for technique in NVME_TECHNIQUES}
    return DriveReport(
        media=Media.SOLID_STATE,
        firmware=facts.controller.firmware,
        offers=tuple(Offer(one, _seconds(one, facts.log)) for one in NVME_TECHNIQUES if not reasons[one]),
        refusals=tuple(Refusal(one, reason) for one, reason in reasons.items() if reason),
        not_examined=_not_examined(facts),
        in_progress=operation_in_progress(facts.log),
        notes=_notes(facts),
    )


def operation_in_progress(log: SanitizeLog | Unanswered | None) -> Technique | None:
    """The technique that the drive carries out now. None also for an overwrite, which gprov does not begin."""
    if not isinstance(log, SanitizeLog) or log.state is not SanitizeState.IN_PROGRESS or log.parameters is None:
        return None
    action = log.parameters.action
    return next((technique for technique, one in SANITIZE_ACTIONS.items() if one is action), None)


def _seconds(technique: Technique, log: SanitizeLog | Unanswered | None) -> float | None:
    if not isinstance(log, SanitizeLog):
        return None
    match technique:
        case Technique.NVME_SANITIZE_CRYPTO:
            return log.crypto_seconds
        case Technique.NVME_SANITIZE_BLOCK:
            return log.block_seconds
        case _:
            return None


def _not_examined(facts: DriveFacts) -> tuple[str, ...]:
    lines = ["over-provisioned and retired flash blocks"]
    if facts.controller.unallocated:
        lines.append(f"{facts.controller.unallocated} bytes that belong to no namespace")
    if facts.controller.has_protected_memory:
        lines.append("replay protected memory block")
    return tuple(lines)


def _notes(facts: DriveFacts) -> tuple[str, ...]:
    lines = [failure_mode(facts.log)]
    if isinstance(facts.log, Unanswered):
        lines.append(facts.log.reason)
    if isinstance(facts.log, SanitizeLog) and facts.log.data_erased:
        lines.append("before the erase the drive reported that no user data was written since its last sanitize")
    if facts.controller.shares_drive:
        lines.append("the drive can have further controllers; Sanitize erases their namespaces as well")
    return tuple(line for line in lines if line)
