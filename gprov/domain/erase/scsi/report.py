"""Report of a drive that accepts SCSI commands: a SCSI drive, or an ATA drive behind a translation (libata, SAS
controllers, USB bridges)."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.erase.ata.exchange import Unreadable, identify
from gprov.domain.erase.ata.facts import SANITIZE_TECHNIQUES, SECURITY_TECHNIQUES, examine
from gprov.domain.erase.ata.report import ata_report, media_of, not_reachable
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.drive_report import DriveReport, Media, Offer, Refusal
from gprov.domain.erase.scsi.exchange import Answer, send
from gprov.domain.erase.scsi.sanitize import ACTIONS, observe, support
from gprov.domain.erase.scsi.watch import Stage
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.identify import Identify
from gprov.domain.formats.scsi.commands import READ_CAPACITY_16_SIZE, inquiry, read_capacity_16
from gprov.domain.formats.scsi.inquiry import (
    ATA_INFORMATION,
    BLOCK_DEVICE_CHARACTERISTICS,
    PAGE_SIZE,
    STANDARD_SIZE,
    SUPPORTED_PAGES,
    Inquiry,
    parse_inquiry,
    parse_rotation_rate,
    parse_supported_pages,
)
from gprov.domain.formats.scsi.replies import parse_capacity_16

# What libata and other translations state as vendor (SAT-5).
_ATA_VENDOR = "ATA"


def report() -> Protocol[DriveReport]:
    """Read-only commands. A drive that answers none of them gets an empty report with a note."""
    standard = yield from _inquiry()
    drive = yield from identify()
    if isinstance(drive, Identify):
        return (yield from _ata(drive))
    if standard is None and drive.answer is Answer.LOST:
        return _silent(drive)
    return (yield from _scsi(standard, drive))


def _silent(drive: Unreadable) -> DriveReport:
    """Each further command would wait for its time limit."""
    return DriveReport(
        refusals=tuple(Refusal(technique, drive.reason) for technique in ACTIONS),
        not_examined=(not_reachable(Media.UNKNOWN),),
        notes=("the drive does not reply to INQUIRY and IDENTIFY DEVICE",),
    )


def _ata(drive: Identify) -> Protocol[DriveReport]:
    facts = yield from examine(drive)
    report = ata_report(facts)
    outcome = yield from send(read_capacity_16(), READ_CAPACITY_16_SIZE)
    try:
        missing = drive.sectors * drive.sector_size - parse_capacity_16(outcome.data).size
    except BadInput:  # a short one is all that many bridges support
        return report
    if missing <= 0:
        return report
    line = f"{missing} bytes at the end of the drive, which its bridge or controller hides"
    return replace(report, not_examined=(*report.not_examined, line))


def _scsi(standard: Inquiry | None, drive: Unreadable) -> Protocol[DriveReport]:
    pages = yield from _pages()
    media = (yield from _media()) if BLOCK_DEVICE_CHARACTERISTICS in pages else Media.UNKNOWN
    offers, refusals = [], []
    for technique in ACTIONS:
        if reason := (yield from support(technique)):
            refusals.append(Refusal(technique, reason))
        else:
            offers.append(Offer(technique))
    notes = [] if standard is not None else ["the drive does not reply to INQUIRY as it must"]
    if ATA_INFORMATION in pages or (standard is not None and standard.vendor == _ATA_VENDOR):
        reason = f"this is an ATA drive behind a bridge or controller that does not pass commands on: {drive.reason}"
        refusals += [Refusal(technique, reason) for technique in (*SANITIZE_TECHNIQUES, *SECURITY_TECHNIQUES)]
    state = yield from observe()
    if state.stage in (Stage.FAILED, Stage.RUNNING):
        notes.append(f"{state.detail}; the drive does not state which one")
    return DriveReport(
        media=media,
        firmware=standard.revision if standard is not None else "",
        offers=tuple(offers),
        refusals=tuple(refusals),
        not_examined=(not_reachable(media),),
        in_progress=next(iter(ACTIONS)) if state.stage is Stage.RUNNING else None,
        notes=tuple(notes),
    )


def _inquiry() -> Protocol[Inquiry | None]:
    outcome = yield from send(inquiry(STANDARD_SIZE), STANDARD_SIZE)
    try:
        return parse_inquiry(outcome.data) if outcome.answer is Answer.DONE else None
    except BadInput:
        return None


def _pages() -> Protocol[frozenset[int]]:
    outcome = yield from send(inquiry(PAGE_SIZE, SUPPORTED_PAGES), PAGE_SIZE)
    try:
        return parse_supported_pages(outcome.data)
    except BadInput:
        return frozenset()


def _media() -> Protocol[Media]:
    outcome = yield from send(inquiry(PAGE_SIZE, BLOCK_DEVICE_CHARACTERISTICS), PAGE_SIZE)
    try:
        return media_of(parse_rotation_rate(outcome.data))
    except BadInput:
        return Media.UNKNOWN
