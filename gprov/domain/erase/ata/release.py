"""Removal of gprov's password from a drive."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.ata.exchange import Unreadable, identify, send_ata
from gprov.domain.erase.ata.password import ERASE_PASSWORD, password_sector
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.scsi.exchange import Answer, pause
from gprov.domain.formats.ata.commands import security_disable_password, security_unlock

_ATTEMPTS = 20
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
# A drive refuses passwords after five wrong ones until its next power cycle.
_WRONG_PASSWORDS = 2


@dataclass(frozen=True, slots=True)
class Released:
    """``free``: the drive itself reports that no password is set."""

    free: bool
    detail: str


def release() -> Protocol[Released]:
    """Unlock with gprov's password and disable it, until the drive reports that security is not enabled. A drive
    without a password is left as it is. A drive with another password keeps it."""
    wrong, seconds, detail = 0, _FIRST_PAUSE, ""
    for _ in range(_ATTEMPTS):
        drive = yield from identify()
        if isinstance(drive, Unreadable):
            # Without IDENTIFY both are tried: neither harms a drive without a password.
            detail, locked = drive.reason, True
        elif not drive.security.enabled and not drive.security.locked:
            return Released(True, "the drive reports that no password is set")
        elif drive.security.frozen:
            return Released(False, _left("security is frozen until the next power cycle"))
        else:
            detail, locked = "DISABLE PASSWORD had no effect", drive.security.locked
        if locked:
            unlocked = yield from send_ata(security_unlock(password_sector()))
            wrong += not isinstance(drive, Unreadable) and unlocked.answer is Answer.REFUSED
        if wrong >= _WRONG_PASSWORDS:
            return Released(False, "the drive is locked with a password that gprov did not set")
        disabled = yield from send_ata(security_disable_password(password_sector()))
        if disabled.answer is not Answer.DONE:
            detail = f"DISABLE PASSWORD: {disabled.problem}"
            if (yield from pause(seconds)):
                break
            seconds = min(seconds * 2, _LONGEST_PAUSE)
    # The last DISABLE PASSWORD may have worked.
    drive = yield from identify()
    if not isinstance(drive, Unreadable) and not drive.security.enabled and not drive.security.locked:
        return Released(True, "the drive reports that no password is set")
    return Released(False, _left(detail))


def _left(reason: str) -> str:
    return f"gprov's password {ERASE_PASSWORD!r} may be set: {reason}"
