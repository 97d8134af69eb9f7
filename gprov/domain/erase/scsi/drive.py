"""The techniques of drives that accept SCSI commands, by ``Technique``."""

from __future__ import annotations

from gprov.domain.erase.ata.facts import SANITIZE_TECHNIQUES, SECURITY_TECHNIQUES
from gprov.domain.erase.ata.sanitize import resume_sanitize, sanitize
from gprov.domain.erase.ata.security import security_erase
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.outcome import TechniqueResult
from gprov.domain.erase.scsi.results import refused
from gprov.domain.erase.scsi.sanitize import ACTIONS, resume_scsi_sanitize, scsi_sanitize
from gprov.domain.erase.techniques import Technique


def erase(technique: Technique) -> Protocol[TechniqueResult]:
    """Carry out a technique that ``report`` offered. Everything that the report stated is read again."""
    if technique in SANITIZE_TECHNIQUES:
        return (yield from sanitize(technique))
    if technique in SECURITY_TECHNIQUES:
        return (yield from security_erase(technique))
    if technique in ACTIONS:
        return (yield from scsi_sanitize(technique))
    return refused(technique, "is no technique of ATA and SCSI drives")


def resume(technique: Technique) -> Protocol[TechniqueResult]:
    """Wait for the end of a technique that began before a restart. REFUSED if the drive is not carrying it out: what
    it did before is then unknown, and a technique has to start anew."""
    if technique in SANITIZE_TECHNIQUES:
        return (yield from resume_sanitize(technique))
    if technique in ACTIONS:
        return (yield from resume_scsi_sanitize(technique))
    return refused(technique, "does not continue after a restart")
