"""What an ATA drive states about itself, and which techniques that excludes.

Hidden areas. Drives document that SECURITY ERASE UNIT covers the native maximum (ATA8-ACS), and that sanitize
operations cover all user data areas, allocated or not (ACS-4). A drive with a host protected area or device
configuration overlay is nevertheless refused: nothing can be written to the hidden area before, or read from it after
the technique, so that a drive that leaves it as it was would not be noticed. Removing the area is the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.domain.erase.ata.exchange import AtaOutcome, Unreadable, identify, send_ata
from gprov.domain.erase.ata.hidden import HiddenAreas, hidden_areas
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.scsi.exchange import Answer
from gprov.domain.erase.techniques import Technique
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import sanitize_status
from gprov.domain.formats.ata.identify import AtaSanitizeFeatures, AtaSecurity, Identify
from gprov.domain.formats.ata.sanitize_status import (
    SanitizeError,
    SanitizeStatus,
    parse_sanitize_status,
    sanitize_error,
)

SANITIZE_TECHNIQUES = (
    Technique.ATA_SANITIZE_CRYPTO,
    Technique.ATA_SANITIZE_BLOCK,
    Technique.ATA_SANITIZE_OVERWRITE,
)
SECURITY_TECHNIQUES = (Technique.ATA_SECURITY_ENHANCED, Technique.ATA_SECURITY_NORMAL)


@dataclass(frozen=True, slots=True)
class SanitizeFailed:
    """The drive reports that its last sanitize operation failed."""

    reason: str


SanitizeState = SanitizeStatus | SanitizeFailed | Unreadable


@dataclass(frozen=True, slots=True)
class AtaFacts:
    """``sanitize``: None if the drive does not support the feature set."""

    drive: Identify
    areas: HiddenAreas
    sanitize: SanitizeState | None


def examine(drive: Identify) -> Protocol[AtaFacts]:
    """Ask for all else; read-only commands."""
    areas = yield from hidden_areas(drive)
    state: SanitizeState | None = None
    if drive.sanitize.supported:
        state = yield from sanitize_state()
    return AtaFacts(drive, areas, state)


def identify_and_examine() -> Protocol[AtaFacts | Unreadable]:
    drive = yield from identify()
    if isinstance(drive, Unreadable):
        return drive
    return (yield from examine(drive))


def sanitize_state() -> Protocol[SanitizeState]:
    outcome = yield from send_ata(sanitize_status())
    return sanitize_state_of(outcome)


def sanitize_state_of(outcome: AtaOutcome) -> SanitizeState:
    """``outcome``: of SANITIZE STATUS EXT. It is aborted while the last operation counts as failed."""
    registers = outcome.registers
    if registers is None:
        return Unreadable(outcome.problem or "the return registers are not passed on", outcome.answer)
    if registers.failed:
        error = sanitize_error(registers)
        if registers.aborted and error is SanitizeError.UNSUCCESSFUL:
            return SanitizeFailed(error.describe())
        return Unreadable(f"{error.describe()} ({registers.describe()})", outcome.answer)
    if outcome.answer is not Answer.DONE:
        return Unreadable(outcome.problem, outcome.answer)
    try:
        return parse_sanitize_status(registers)
    except BadInput as error:
        return Unreadable(str(error), outcome.answer)


def refusal(technique: Technique, facts: AtaFacts) -> str:
    """Why a technique cannot be used now, "" if it can."""
    reason = (
        _sanitize_refusal(technique, facts)
        if technique in SANITIZE_TECHNIQUES
        else _security_refusal(technique, facts.drive.security, facts.sanitize)
    )
    if not reason and facts.areas.hidden:
        return f"sectors are hidden, remove this first: {'; '.join(facts.areas.hidden)}"
    return reason


def _sanitize_refusal(technique: Technique, facts: AtaFacts) -> str:
    if not _operations(facts.drive.sanitize).get(technique, False):
        return "not supported"
    if facts.drive.security.locked:
        return "the drive is locked with a password"
    match facts.sanitize:
        case None:
            return "not supported"
        case Unreadable(reason=reason):
            return f"its result could not be determined: SANITIZE STATUS EXT: {reason}"
        case SanitizeFailed():
            return ""
        case SanitizeStatus(in_progress=True):
            return "a sanitize operation is in progress"
        case SanitizeStatus(frozen=True):
            return SanitizeError.FROZEN.describe()
        case SanitizeStatus():
            return ""


def _operations(features: AtaSanitizeFeatures) -> Mapping[Technique, bool]:
    return {
        Technique.ATA_SANITIZE_CRYPTO: features.crypto_scramble,
        Technique.ATA_SANITIZE_BLOCK: features.block_erase,
        Technique.ATA_SANITIZE_OVERWRITE: features.overwrite,
    }


def _security_refusal(technique: Technique, security: AtaSecurity, sanitize: SanitizeState | None) -> str:
    enhanced = technique is Technique.ATA_SECURITY_ENHANCED
    if not security.supported or (enhanced and not security.enhanced_supported):
        return "not supported"
    if isinstance(sanitize, SanitizeStatus) and sanitize.in_progress:
        return "a sanitize operation is in progress"
    checks = (
        (security.count_expired, "too many wrong passwords were tried; switch the drive's power off and on"),
        (security.locked, "the drive is locked with a password"),
        (security.enabled, "a password is set that is not gprov's to remove; disable it first"),
        (security.frozen, "security is frozen, usually by the firmware of the machine, until the next power cycle"),
    )
    return next((reason for present, reason in checks if present), "")
