"""Results of techniques, of their verification, and of the erase of a disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_report import DriveReport, Refusal
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Pattern
from gprov.domain.erase.techniques import Level, Technique


class TechniqueStatus(Enum):
    """REFUSED: the drive did not begin, and is as it was. FAILED: it began, or its state is unknown."""

    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TechniqueResult:
    """``detail``: the drive's own report after the technique, or the reason of the failure."""

    technique: Technique
    status: TechniqueStatus
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One overwrite pass. ``unwritten``: ranges that the drive did not accept."""

    pattern: Pattern
    written: int
    seconds: float
    unwritten: tuple[Extent, ...] = ()
    error: str = ""


class VerificationMethod(Enum):
    """FULL: every block was read and compared. SAMPLE: a stated random part. CANARIES: firmware techniques: blocks that
    gprov had written before are gone, and sampled former content as well. NONE: not verified."""

    FULL = "full read-back"
    SAMPLE = "random sample"
    CANARIES = "canaries and former content"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """``examined``: bytes that were read. ``different``: ranges that do not hold what they must; for canaries, ranges
    that still hold what was there before. ``unreadable``: ranges with read errors. ``seed`` and ``confidence`` describe
    a sample: with the probability ``confidence``, less than ``undetected_share`` of the disk differs."""

    method: VerificationMethod
    examined: int = 0
    different: tuple[Extent, ...] = ()
    unreadable: tuple[Extent, ...] = ()
    seed: str = ""
    confidence: float = 0.0
    undetected_share: float = 0.0
    error: str = ""

    @property
    def passed(self) -> bool:
        """False also if nothing was examined."""
        clean = not (self.different or self.unreadable or self.error)
        return clean and self.method is not VerificationMethod.NONE and self.examined > 0


class Verdict(Enum):
    """ERASED: a technique completed and its verification passed. PARTIAL: all but the stated ranges. FAILED: no
    technique completed, or content remains, or the result is unknown."""

    ERASED = "erased"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskOutcome:
    """The erase of one disk. ``requested``: the level that was asked for; ``achieved``: the level of the technique that
    completed and was verified. ``tried``: every technique that was started or refused, in order."""

    disk: Disk
    report: DriveReport
    requested: Level
    achieved: Level
    verdict: Verdict
    technique: Technique | None
    tried: tuple[TechniqueResult, ...]
    refusals: tuple[Refusal, ...]
    passes: tuple[Pass, ...]
    verification: Verification
    started_ns: int
    ended_ns: int
    errors: tuple[str, ...] = ()
