"""Chooses the techniques for one disk, best first, and gives the reason for each that is not used."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.drive_report import DriveReport, Refusal
from gprov.domain.erase.request import EraseRequest, OnFailure
from gprov.domain.erase.techniques import TECHNIQUES, Technique

# Within a level, the earlier one is preferred: cryptographic erases are quick, but reach only what the drive encrypted.
_PREFERENCE = (
    Technique.NVME_SANITIZE_BLOCK,
    Technique.ATA_SANITIZE_BLOCK,
    Technique.SCSI_SANITIZE_BLOCK,
    Technique.NVME_SANITIZE_CRYPTO,
    Technique.ATA_SANITIZE_CRYPTO,
    Technique.SCSI_SANITIZE_CRYPTO,
    Technique.ATA_SANITIZE_OVERWRITE,
    Technique.SCSI_SANITIZE_OVERWRITE,
    Technique.NVME_FORMAT_CRYPTO,
    Technique.ATA_SECURITY_ENHANCED,
    Technique.NVME_FORMAT_USER,
    Technique.ATA_SECURITY_NORMAL,
    Technique.OVERWRITE,
    Technique.DISCARD,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """``techniques``: to be tried in this order until one is verified; may be empty. ``refusals``: techniques of this
    drive's interface that are not used, and why."""

    techniques: tuple[Technique, ...]
    refusals: tuple[Refusal, ...]

    def describe(self) -> str:
        used = ", then ".join(TECHNIQUES[technique].name for technique in self.techniques)
        return used or "no technique can be used"


def choose_techniques(report: DriveReport, request: EraseRequest) -> Choice:
    """Total. Overwriting is always possible; discarding is used only if it is asked for by name."""
    offered = {offer.technique for offer in report.offers} | {Technique.OVERWRITE}
    refusals = [refusal for refusal in report.refusals if _asked_for(refusal.technique, request)]
    usable: list[Technique] = []
    for technique in sorted(offered, key=preference):
        if not _asked_for(technique, request):
            continue
        reason = _reason_against(technique, request)
        if reason:
            refusals.append(Refusal(technique, reason))
        else:
            usable.append(technique)
    if request.technique is not None and request.technique not in offered:
        known = any(refusal.technique is request.technique for refusal in refusals)
        if not known:
            refusals.append(Refusal(request.technique, "the drive does not state that it supports it"))
    limit = 1 if request.on_failure is OnFailure.STOP else len(usable)
    return Choice(tuple(usable[:limit]), tuple(refusals))


def preference(technique: Technique) -> tuple[int, int]:
    """Sort key: best first."""
    return -TECHNIQUES[technique].level.rank, _PREFERENCE.index(technique)


def _asked_for(technique: Technique, request: EraseRequest) -> bool:
    return request.technique is None or technique is request.technique


def _reason_against(technique: Technique, request: EraseRequest) -> str:
    facts = TECHNIQUES[technique]
    by_name = request.technique is technique
    if facts.opt_in and technique not in request.opted_in and not by_name:
        return "used only on request"
    if technique is Technique.DISCARD and not by_name:
        return "used only if it is asked for by name: no level is documented for it"
    return ""
