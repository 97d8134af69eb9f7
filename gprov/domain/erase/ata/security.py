"""ATA Security Erase (ACS-4, Security feature set).

SET PASSWORD, ERASE PREPARE, ERASE UNIT. A drive that completed it has removed the password by itself: this is required
of its IDENTIFY DEVICE data afterwards. After any failure the password is removed.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.ata.exchange import Unreadable, identify, send_ata
from gprov.domain.erase.ata.facts import identify_and_examine, refusal
from gprov.domain.erase.ata.password import password_sector
from gprov.domain.erase.ata.release import release
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.scsi.exchange import Answer, pause
from gprov.domain.erase.scsi.results import completed, refused
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.ata.commands import security_erase_prepare, security_erase_unit, security_set_password
from gprov.domain.formats.ata.identify import AtaSecurity, Identify

_HOUR = 3600.0
_WITHOUT_ESTIMATE = 48 * _HOUR
_QUESTIONS = 20
_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class _Failure:
    """``begun``: the drive may have begun to erase, or its state is unknown."""

    begun: bool
    reason: str


def security_erase(technique: Technique) -> Protocol[TechniqueResult]:
    facts = yield from identify_and_examine()
    if isinstance(facts, Unreadable):
        return refused(technique, facts.reason)
    if reason := refusal(technique, facts):
        return refused(technique, reason)
    enhanced = technique is Technique.ATA_SECURITY_ENHANCED
    failure = yield from _attempt(enhanced, _time_limit(facts.drive.security, enhanced))
    if failure is None:
        return completed(technique, "SECURITY ERASE UNIT ended without error, and the drive removed the password")
    released = yield from release()
    as_before = released.free and not failure.begun
    status = TechniqueStatus.REFUSED if as_before else TechniqueStatus.FAILED
    return TechniqueResult(technique, status, f"{failure.reason}; {released.detail}")


def _attempt(enhanced: bool, seconds: float) -> Protocol[_Failure | None]:
    outcome = yield from send_ata(security_set_password(password_sector()))
    if outcome.answer is not Answer.DONE:
        return _Failure(outcome.answer is not Answer.REFUSED, f"SECURITY SET PASSWORD: {outcome.problem}")
    drive = yield from identify()
    if reason := _not_ready(drive):
        return _Failure(False, reason)
    # ERASE UNIT must be the next command after ERASE PREPARE.
    outcome = yield from send_ata(security_erase_prepare())
    if outcome.answer is not Answer.DONE:
        return _Failure(outcome.answer is Answer.LOST, f"SECURITY ERASE PREPARE: {outcome.problem}")
    outcome = yield from send_ata(security_erase_unit(password_sector(enhanced=enhanced)), seconds)
    if outcome.answer is not Answer.DONE:
        return _Failure(True, f"SECURITY ERASE UNIT: {outcome.problem}")
    after = yield from _identify_patiently()
    if isinstance(after, Unreadable):
        return _Failure(True, f"after SECURITY ERASE UNIT: {after.reason}")
    if after.security.enabled or after.security.locked:
        return _Failure(True, "SECURITY ERASE UNIT was accepted, but the drive reports that the password is still set")
    return None


def _not_ready(drive: Identify | Unreadable) -> str:
    """The drive itself must report the password: a bridge that drops SET PASSWORD would drop ERASE UNIT as well, and
    a missing password would then look like an erase that ended."""
    if isinstance(drive, Unreadable):
        return f"after SECURITY SET PASSWORD: {drive.reason}"
    if not drive.security.enabled:
        return "SECURITY SET PASSWORD was accepted, but the drive reports that no password is set"
    if drive.security.locked or drive.security.frozen:
        return "after SECURITY SET PASSWORD the drive reports that it is locked or frozen"
    return ""


def _identify_patiently() -> Protocol[Identify | Unreadable]:
    """A drive may be busy for some minutes after the erase."""
    drive = yield from identify()
    for _ in range(_QUESTIONS):
        if not isinstance(drive, Unreadable) or (yield from pause(_PAUSE)):
            break
        drive = yield from identify()
    return drive


def _time_limit(security: AtaSecurity, enhanced: bool) -> float:
    estimate = security.enhanced_erase_seconds if enhanced else security.erase_seconds
    return 2 * estimate + 4 * _HOUR if estimate else _WITHOUT_ESTIMATE
