"""Report of an ATA drive."""

from __future__ import annotations

from gprov.domain.erase.ata.facts import (
    SANITIZE_TECHNIQUES,
    SECURITY_TECHNIQUES,
    AtaFacts,
    SanitizeFailed,
    refusal,
)
from gprov.domain.erase.drive_report import DriveReport, Media, Offer, Refusal
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.ata.identify import AtaSecurity
from gprov.domain.formats.ata.sanitize_status import SanitizeStatus

_UNREACHABLE = {
    Media.ROTATING: "sectors that the drive replaced by spare ones",
    Media.SOLID_STATE: "spare and replaced flash blocks",
    Media.UNKNOWN: "spare and replaced sectors",
}


def media_of(rotation_rate: int | None) -> Media:
    """``rotation_rate``: as in IDENTIFY DEVICE data and INQUIRY page B1h."""
    if rotation_rate is None:
        return Media.UNKNOWN
    return Media.ROTATING if rotation_rate else Media.SOLID_STATE


def not_reachable(media: Media) -> str:
    """Areas that no addressable block reaches on any drive of this kind."""
    return _UNREACHABLE[media]


def ata_report(facts: AtaFacts) -> DriveReport:
    reasons = {technique: refusal(technique, facts) for technique in (*SANITIZE_TECHNIQUES, *SECURITY_TECHNIQUES)}
    media = media_of(facts.drive.rotation_rate)
    return DriveReport(
        media=media,
        firmware=facts.drive.firmware,
        offers=tuple(
            Offer(technique, _estimate(technique, facts.drive.security))
            for technique, reason in reasons.items()
            if not reason
        ),
        refusals=tuple(Refusal(technique, reason) for technique, reason in reasons.items() if reason),
        not_examined=(*facts.areas.hidden, *facts.areas.unknown, not_reachable(media)),
        in_progress=_in_progress(facts),
        password_set=facts.drive.security.enabled or facts.drive.security.locked,
        notes=_notes(facts),
    )


def _estimate(technique: Technique, security: AtaSecurity) -> float | None:
    if technique is Technique.ATA_SECURITY_ENHANCED:
        return security.enhanced_erase_seconds
    return security.erase_seconds if technique is Technique.ATA_SECURITY_NORMAL else None


def _in_progress(facts: AtaFacts) -> Technique | None:
    """The drive does not state which operation it is: the first that it supports stands for it, see ``_notes``."""
    if not isinstance(facts.sanitize, SanitizeStatus) or not facts.sanitize.in_progress:
        return None
    features = facts.drive.sanitize
    if features.crypto_scramble:
        return Technique.ATA_SANITIZE_CRYPTO
    return Technique.ATA_SANITIZE_BLOCK if features.block_erase else Technique.ATA_SANITIZE_OVERWRITE


def _notes(facts: AtaFacts) -> tuple[str, ...]:
    security, sanitize = facts.drive.security, facts.sanitize
    notes = []
    if facts.drive.encrypts_all:
        notes.append("the drive states that it encrypts all user data")
    elif facts.drive.sanitize.crypto_scramble:
        notes.append("the drive does not state that it encrypts all user data")
    if security.enabled:
        notes.append(
            f"a security password is set, level {'maximum' if security.maximum else 'high'},"
            f" the drive is {'locked' if security.locked else 'not locked'};"
            " an interrupted security erase leaves a drive like this"
        )
    if isinstance(sanitize, SanitizeFailed):
        notes.append(f"the last sanitize operation failed: {sanitize.reason}")
    if isinstance(sanitize, SanitizeStatus) and sanitize.in_progress:
        notes.append("a sanitize operation is in progress; the drive does not state which one")
    return tuple(notes)
