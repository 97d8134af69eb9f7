"""Outcomes of disks for tests of reports and certificates: chosen ones, and arbitrary ones."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.drive_report import DriveReport, Media, Refusal
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import (
    DiskOutcome,
    Pass,
    TechniqueResult,
    TechniqueStatus,
    Verdict,
    Verification,
    VerificationMethod,
)
from gprov.domain.erase.patterns import Fill, Stamped
from gprov.domain.erase.report import OptionResult, OptionStatus, UnitIdentity
from gprov.domain.erase.report_making import ErasureFacts
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.formats.disk.device_number import DeviceNumber

NOW_NS = 1_796_000_000_123_456_789
SIZE = 1 << 30
DISK = Disk(
    name="sda",
    node="/dev/sda",
    device=DeviceNumber(8, 0),
    size=SIZE,
    bus=Bus.ATA,
    vendor="ATA",
    model="Example 1000",
    serial="S3R14L",
    wwn="0x5000c500a1b2c3d4",
    slot="pci-0000:00:1f.2-ata-1",
)
OVERWRITTEN = DiskOutcome(
    disk=DISK,
    report=DriveReport(
        media=Media.ROTATING,
        firmware="CC01",
        not_examined=("sectors that the drive has remapped",),
        notes=("7200/min",),
    ),
    requested=Level.PURGE,
    achieved=Level.CLEAR,
    verdict=Verdict.ERASED,
    technique=Technique.OVERWRITE,
    tried=(
        TechniqueResult(Technique.ATA_SANITIZE_BLOCK, TechniqueStatus.REFUSED, "ABRT"),
        TechniqueResult(Technique.OVERWRITE, TechniqueStatus.COMPLETED, "1 pass"),
    ),
    refusals=(Refusal(Technique.ATA_SECURITY_ENHANCED, "frozen by the firmware"),),
    passes=(Pass(pattern=Stamped("00ff"), written=SIZE, seconds=8.25),),
    verification=Verification(method=VerificationMethod.FULL, examined=SIZE),
    started_ns=NOW_NS,
    ended_ns=NOW_NS + 60 * 10**9,
)
UNIT = UnitIdentity("SIM0001", "SHINY", "Example Ltd", "Widget")


def facts_of(*outcomes: DiskOutcome, missing: tuple[str, ...] = ()) -> ErasureFacts:
    return ErasureFacts(
        unit=UNIT,
        operator="A. Person",
        started_ns=NOW_NS,
        ended_ns=NOW_NS + 3600 * 10**9,
        requested=Level.PURGE,
        outcomes=outcomes,
        out_of_scope=((replace(DISK, name="sdz", node="/dev/sdz"), "is RECOVERY"),),
        missing=missing,
        options=(OptionResult("UEFI variables", OptionStatus.DONE, "3 deleted"),),
    )


_TEXT = st.text(st.characters(), max_size=20)
_TIMES = st.integers(0, 2**62)
_EXTENTS = st.lists(st.builds(Extent, st.integers(0, 2**40), st.integers(0, 2**40)), max_size=5).map(tuple)
_DISKS = st.builds(
    Disk,
    name=_TEXT,
    node=_TEXT,
    device=st.just(DeviceNumber(8, 0)),
    size=st.integers(0, 2**50),
    bus=st.sampled_from(Bus),
    vendor=_TEXT,
    model=_TEXT,
    serial=_TEXT,
    wwn=_TEXT,
    path=_TEXT,
    slot=_TEXT,
)
_OUTCOMES = st.builds(
    DiskOutcome,
    disk=_DISKS,
    report=st.builds(
        DriveReport,
        media=st.sampled_from(Media),
        firmware=_TEXT,
        not_examined=st.lists(_TEXT, max_size=2).map(tuple),
        notes=st.lists(_TEXT, max_size=2).map(tuple),
    ),
    requested=st.just(Level.PURGE),
    achieved=st.sampled_from(Level),
    verdict=st.sampled_from(Verdict),
    technique=st.none() | st.sampled_from(Technique),
    tried=st.lists(
        st.builds(TechniqueResult, st.sampled_from(Technique), st.sampled_from(TechniqueStatus), _TEXT), max_size=3
    ).map(tuple),
    refusals=st.lists(st.builds(Refusal, st.sampled_from(Technique), _TEXT), max_size=2).map(tuple),
    passes=st.lists(
        st.builds(
            Pass,
            pattern=st.builds(Fill, st.integers(0, 255)) | st.builds(Stamped, _TEXT),
            written=st.integers(0, 2**50),
            seconds=st.floats(),
            unwritten=_EXTENTS,
            error=_TEXT,
        ),
        max_size=2,
    ).map(tuple),
    verification=st.builds(
        Verification,
        method=st.sampled_from(VerificationMethod),
        examined=st.integers(0, 2**50),
        different=_EXTENTS,
        unreadable=_EXTENTS,
        seed=_TEXT,
        confidence=st.floats(),
        undetected_share=st.floats(),
        error=_TEXT,
    ),
    started_ns=_TIMES,
    ended_ns=_TIMES,
    errors=st.lists(_TEXT, max_size=2).map(tuple),
)


def any_facts() -> st.SearchStrategy[ErasureFacts]:
    return st.builds(
        ErasureFacts,
        unit=st.builds(UnitIdentity, st.just("SIM 1/2") | _TEXT, _TEXT, _TEXT, _TEXT),
        operator=_TEXT,
        started_ns=_TIMES,
        ended_ns=_TIMES,
        requested=st.just(Level.PURGE),
        outcomes=st.lists(_OUTCOMES | st.just(OVERWRITTEN), max_size=3).map(tuple),
        out_of_scope=st.lists(st.tuples(_DISKS, _TEXT), max_size=2).map(tuple),
        missing=st.lists(_TEXT, max_size=2).map(tuple),
        options=st.lists(st.builds(OptionResult, _TEXT, st.sampled_from(OptionStatus), _TEXT), max_size=2).map(tuple),
    )
