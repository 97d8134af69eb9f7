"""ATA sanitize operations (ACS-4, Sanitize Device feature set).

An operation continues after a reset or power cycle until it ends. The status that an operation ended without error is
kept by the drive until its next power cycle, so it can stem from an earlier operation: it counts only if this one was
accepted by the drive itself or seen in progress.
"""

from __future__ import annotations

from gprov.domain.erase.ata.exchange import AtaOutcome, Unreadable, send_ata
from gprov.domain.erase.ata.facts import (
    AtaFacts,
    SanitizeFailed,
    identify_and_examine,
    refusal,
    sanitize_state,
)
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.outcome import TechniqueResult
from gprov.domain.erase.scsi.exchange import Answer
from gprov.domain.erase.scsi.results import failed, refused
from gprov.domain.erase.scsi.watch import Observation, Stage, Watched, judged, watch
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.ata.commands import (
    AtaCommand,
    sanitize_antifreeze_lock,
    sanitize_block_erase,
    sanitize_clear_failure,
    sanitize_crypto_scramble,
    sanitize_overwrite,
)
from gprov.domain.formats.ata.sanitize_status import SanitizeStatus, sanitize_error

_PATTERN = 0x00000000


def sanitize(technique: Technique) -> Protocol[TechniqueResult]:
    facts = yield from identify_and_examine()
    if isinstance(facts, Unreadable):
        return refused(technique, facts.reason)
    if reason := refusal(technique, facts):
        return refused(technique, reason)
    if facts.drive.sanitize.antifreeze:
        # Only a precaution: whether the drive is frozen is read before and after.
        yield from send_ata(sanitize_antifreeze_lock())
    outcome = yield from send_ata(_command(technique))
    if outcome.answer is Answer.REFUSED:
        return (yield from _aborted(technique, outcome))
    watched = yield from _watched()
    # Without registers, GOOD may be the reply of a bridge that passed nothing on.
    accepted = outcome.answer is Answer.DONE and outcome.registers is not None
    return judged(technique, watched, started=watched.seen_running or accepted or _was_clear(outcome, facts))


def resume_sanitize(technique: Technique) -> Protocol[TechniqueResult]:
    """Wait for the end of an operation that is in progress, for example since before a restart. REFUSED if none is."""
    first = yield from _observe()
    if first.stage is Stage.IDLE or first.stage is Stage.ENDED:
        return refused(technique, "no sanitize operation is in progress")
    watched = yield from _watched()
    return judged(technique, watched, started=first.stage is Stage.RUNNING or watched.seen_running)


def _watched() -> Protocol[Watched]:
    """Wait for the end. A failed operation keeps the medium inaccessible: the drive is made to leave that state, so
    that another technique can follow."""
    watched = yield from watch(_observe)
    if watched.last.stage is Stage.FAILED:
        yield from send_ata(sanitize_clear_failure())
    return watched


def _command(technique: Technique) -> AtaCommand:
    if technique is Technique.ATA_SANITIZE_CRYPTO:
        return sanitize_crypto_scramble()
    if technique is Technique.ATA_SANITIZE_BLOCK:
        return sanitize_block_erase()
    return sanitize_overwrite(_PATTERN)


def _was_clear(outcome: AtaOutcome, facts: AtaFacts) -> bool:
    """An end without error that the drive did not report before must be that of this operation."""
    before = facts.sanitize
    return outcome.answer is Answer.DONE and isinstance(before, SanitizeStatus) and not before.completed


def _aborted(technique: Technique, outcome: AtaOutcome) -> Protocol[TechniqueResult]:
    reason = sanitize_error(outcome.registers).describe() if outcome.registers is not None else ""
    text = "; ".join(part for part in (outcome.problem, reason) if part)
    after = yield from _observe()
    if after.stage in (Stage.IDLE, Stage.ENDED):
        return refused(technique, text)
    return failed(technique, f"{text}; then: {after.detail}")


def _observe() -> Protocol[Observation]:
    state = yield from sanitize_state()
    match state:
        case SanitizeFailed(reason=reason):
            return Observation(Stage.FAILED, reason)
        case Unreadable(reason=reason):
            return Observation(Stage.SILENT, f"SANITIZE STATUS EXT: {reason}")
        case SanitizeStatus(in_progress=True, progress=done):
            return Observation(Stage.RUNNING, "sanitize operation in progress", done)
        case SanitizeStatus(completed=True):
            return Observation(Stage.ENDED, "the drive reports that its last sanitize operation ended without error")
        case SanitizeStatus():
            return Observation(Stage.IDLE, "no sanitize operation is in progress, and none ended without error")
