"""The erase report: what one run did to the disks of one machine.

The annotations are the format (gprov.domain.factory.messages): docs/reference/erase-certificate.md describes it for
auditors. gprov.domain.erase.report_making makes a report; gprov.domain.erase.report_text writes and reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.disk.model import Bus
from gprov.domain.erase.document_format import ReportFormat
from gprov.domain.erase.drive_report import Media
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import TechniqueStatus, Verdict, VerificationMethod
from gprov.domain.erase.report_fields import BLANK, INSTANT, LINE, SECONDS, SHARE
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.factory.messages import AtMost

MAX_DISKS = 256
MAX_LINES = 100
MAX_RANGES = 100
_LINES = AtMost(MAX_LINES)

Lines = Annotated[tuple[Annotated[str, LINE], ...], _LINES]


class OverallVerdict(Enum):
    """From best to worst. INCOMPLETE: a disk that the platform specifies was not found, or no disk was in scope."""

    ERASED = "erased"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class OptionStatus(Enum):
    """KEPT: the option asked for something to be left as it was. PENDING: not done yet; the firmware was asked to do it
    at its next start, and the report does not state whether it did."""

    DONE = "done"
    PENDING = "pending"
    KEPT = "kept"
    NOT_REQUESTED = "not requested"
    NOT_PRESENT = "not present"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UnitIdentity:
    """Empty: not known."""

    serial: Annotated[str, LINE, Doc("Serial number of the machine")]
    platform: Annotated[str, LINE, Doc("Code name of the platform")]
    manufacturer: Annotated[str, LINE, Doc("System manufacturer, of the SMBIOS table")]
    product: Annotated[str, LINE, Doc("Product name, of the SMBIOS table")]


@dataclass(frozen=True, slots=True)
class Tool:
    name: Annotated[str, LINE]
    version: Annotated[str, LINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskIdentity:
    """Empty: the disk does not state it."""

    name: Annotated[str, LINE, Doc("Device file while the report was made")]
    vendor: Annotated[str, LINE]
    model: Annotated[str, LINE]
    serial: Annotated[str, LINE]
    wwn: Annotated[str, LINE]
    firmware: Annotated[str, LINE]
    size: Annotated[int, Doc("Bytes")]
    media: Media
    bus: Bus
    place: Annotated[str, LINE, Doc("Port or slot")]

    def describe(self) -> str:
        """Vendor, model and serial number; the device file in place of a serial number that the disk does not state."""
        return " ".join(part.strip() for part in (self.vendor, self.model, self.serial or self.name) if part.strip())


@dataclass(frozen=True, slots=True)
class Trial:
    """A technique that was started or refused."""

    technique: Technique
    status: Annotated[TechniqueStatus, Doc("refused: the drive is as it was; failed: begun, or its state is unknown")]
    detail: Annotated[str, LINE, Doc("The drive's own report afterwards, or the reason of the failure")]


@dataclass(frozen=True, slots=True)
class NotUsable:
    technique: Technique
    reason: Annotated[str, LINE]


@dataclass(frozen=True, slots=True)
class Areas:
    """Byte ranges of a disk. If there are too many, close ones are joined: ``bytes`` is exact, ``ranges`` then cover
    more."""

    bytes: Annotated[int, Doc("How many bytes are concerned")]
    ranges: Annotated[tuple[Extent, ...], AtMost(MAX_RANGES), Doc("From start to end, exclusive")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEntry:
    pattern: Annotated[str, LINE]
    written: Annotated[int, Doc("Bytes that the drive accepted and flushed")]
    seconds: Annotated[float, SECONDS]
    unwritten: Annotated[Areas, Doc("What the drive did not accept")]
    error: Annotated[str, LINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationEntry:
    method: VerificationMethod
    passed: Annotated[bool, Doc("All that was examined is as it must be, and something was examined")]
    examined: Annotated[int, Doc("Bytes that were read")]
    different: Annotated[Areas, Doc("Not what it must be; with canaries: former content that is still there")]
    unreadable: Areas
    seed: Annotated[str, LINE, Doc("Of a sample: which blocks were read follows from it")]
    confidence: Annotated[
        float, SHARE, Doc("Of a sample: probability that less than undetected_share of the disk differs")
    ]
    undetected_share: Annotated[float, SHARE]
    error: Annotated[str, LINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskEntry:
    disk: DiskIdentity
    started: Annotated[int, INSTANT]
    ended: Annotated[int, INSTANT]
    requested: Level
    achieved: Annotated[Level, Doc("Documented level of the technique that completed and was verified")]
    verdict: Verdict
    technique: Annotated[Technique | None, Doc("The one that completed; null: none")]
    technique_text: Annotated[str, LINE]
    basis: Annotated[str, LINE, Doc("Document on which the level of the technique is based")]
    tried: Annotated[tuple[Trial, ...], _LINES, Doc("In order")]
    refusals: Annotated[tuple[NotUsable, ...], _LINES, Doc("Techniques that were not usable on this drive")]
    passes: Annotated[tuple[PassEntry, ...], _LINES]
    verification: VerificationEntry
    not_examined: Annotated[Lines, Doc("Areas that no addressable block reaches")]
    notes: Lines
    errors: Lines


@dataclass(frozen=True, slots=True)
class OutOfScope:
    disk: DiskIdentity
    reason: Annotated[str, LINE]


@dataclass(frozen=True, slots=True)
class OptionResult:
    """UEFI variables, TPM, RAID metadata."""

    name: Annotated[str, LINE]
    status: OptionStatus
    detail: Annotated[str, LINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    format: ReportFormat
    unit: UnitIdentity
    tool: Tool
    operator: Annotated[str, LINE, Doc("As entered; may be empty")]
    started: Annotated[int, INSTANT, Doc("By the clock of the machine")]
    ended: Annotated[int, INSTANT]
    requested: Level
    achieved: Annotated[Level, Doc("The lowest of the disks")]
    verdict: Annotated[OverallVerdict, Doc("The worst of the disks; incomplete if disks are missing or none is there")]
    disks: Annotated[tuple[DiskEntry, ...], AtMost(MAX_DISKS)]
    out_of_scope: Annotated[tuple[OutOfScope, ...], AtMost(MAX_DISKS), Doc("Disks that were left as they are")]
    missing: Annotated[Lines, Doc("Disks that the platform specifies and that were not found")]
    options: Annotated[tuple[OptionResult, ...], _LINES]
    validation: Annotated[None, BLANK, Doc("The decision of the organisation; a person completes it, never gprov")]
