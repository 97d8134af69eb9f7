"""The record of an erase: what is kept, and when it lets an erase go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.choose import Choice
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.record import DiskProgress, EraseRecord, RecordState, parse_record, serialise_record
from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.resume import absent_disks, resume_problem, resumed_record
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.erase.variable_choice import VariableChoice
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.variables import VariableName

NUMBERS = st.integers(0, 1 << 62)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
TECHNIQUES = st.sampled_from(Technique)
RESULTS = st.builds(TechniqueResult, TECHNIQUES, st.sampled_from(TechniqueStatus), TEXT)
PROGRESS = st.builds(
    DiskProgress,
    identity=TEXT,
    size=NUMBERS,
    seed=TEXT,
    technique=st.none() | TECHNIQUES,
    completed=st.booleans(),
    pass_number=st.integers(0, 99),
    done=NUMBERS,
    tried=st.lists(RESULTS, max_size=3).map(tuple),
    former=st.lists(st.tuples(NUMBERS, TEXT), max_size=3).map(tuple),
)
CHOICES = (VariableChoice("12345678-1234-1234-1234-123456789abc", "a-b"),)
REQUESTS = st.builds(
    EraseRequest,
    level=st.sampled_from(Level),
    technique=st.none() | TECHNIQUES,
    opted_in=st.frozensets(TECHNIQUES),
    on_failure=st.sampled_from(OnFailure),
    scheme=st.sampled_from(Scheme),
    read_back=st.sampled_from(ReadBack),
    keep_raid_metadata=st.none() | st.booleans(),
    clear_uefi_variables=st.booleans(),
    uefi_variables=st.lists(st.sampled_from(CHOICES), unique=True).map(tuple),
    clear_tpm=st.booleans(),
    unrecorded=st.booleans(),
)
RECORDS = st.builds(
    EraseRecord,
    state=st.sampled_from(RecordState),
    started_ns=NUMBERS,
    request=REQUESTS,
    serial=st.just("") | TEXT,
    missing=st.integers(0, 256),
    cleared=st.booleans(),
    disks=st.lists(PROGRESS, max_size=3).map(tuple),
    variables=st.lists(st.builds(VariableName, TEXT, TEXT), max_size=3).map(tuple),
    summary=st.just("") | TEXT,
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: EraseRecord) -> None:
    assert parse_record("erase.json", serialise_record(record)) == record


@given(st.binary(max_size=200))
def test_any_other_content_is_bad_input(content: bytes) -> None:
    with pytest.raises(BadInput):
        parse_record("erase.json", content)


def disk(serial: str, size: int = 1000) -> Disk:
    return Disk(
        name="sda",
        node="/dev/sda",
        device=DeviceNumber(8, 0),
        size=size,
        bus=Bus.ATA,
        model="M",
        serial=f"S4X7{serial}91",
        path="p",
    )


def record_of(*serials: str, missing: int = 0, serial: str = "UNIT") -> EraseRecord:
    disks = tuple(DiskProgress(identity=disk(one).identity, size=1000, seed="s") for one in serials)
    return EraseRecord(
        state=RecordState.RUNNING, started_ns=1, request=EraseRequest(), serial=serial, missing=missing, disks=disks
    )


@pytest.mark.parametrize(
    ("record", "serial", "present", "problem"),
    [
        pytest.param(record_of("a", "b"), "UNIT", "ab", "", id="the same disks"),
        pytest.param(record_of("a", "b"), "UNIT", "a", "", id="one is absent"),
        pytest.param(record_of("a", missing=1), "UNIT", "ab", "", id="one that was missing is found"),
        pytest.param(record_of("a", missing=1), "UNIT", "abc", "not among", id="more than were missing"),
        pytest.param(record_of("a"), "UNIT", "ab", "not among", id="a strange disk"),
        pytest.param(record_of("a"), "UNIT", "b", "none of the disks", id="only a strange disk"),
        pytest.param(record_of("a", missing=1), "UNIT", "b", "none of the disks", id="only one that was missing"),
        pytest.param(record_of("a"), "OTHER", "a", "begun on unit UNIT", id="another unit"),
        pytest.param(record_of("a"), "", "a", "unit (unknown)", id="a unit that is not identified any more"),
        pytest.param(record_of("a", "a"), "UNIT", "a", "none of the disks", id="two disks of one identity"),
    ],
)
def test_an_erase_goes_on_only_with_the_disks_that_were_confirmed(
    record: EraseRecord, serial: str, present: str, problem: str
) -> None:
    found = resume_problem(record, serial, [disk(one) for one in present])
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_disk_of_another_size_is_another_one() -> None:
    assert resume_problem(record_of("a"), "UNIT", [disk("a", size=2000)])


def test_an_absent_disk_stays_recorded_and_a_found_one_takes_the_place_of_a_missing_one() -> None:
    before = record_of("a", "b", missing=2)
    [found] = record_of("c").disks
    assert absent_disks(before, [disk("a"), disk("c")]) == 1
    after = resumed_record(before, (before.disks[0], found))
    assert after.missing == 1
    assert {one.identity for one in after.disks} == {disk(one).identity for one in "abc"}


FAILED = TechniqueResult(Technique.ATA_SANITIZE_BLOCK, TechniqueStatus.FAILED, "")


def erasure(progress: DiskProgress, *, on_failure: OnFailure = OnFailure.NEXT, busy: bool = False) -> DiskErasure:
    """The drive now offers a block erase; a busy one offers nothing."""
    offered = () if busy else (Technique.ATA_SANITIZE_BLOCK,)
    return DiskErasure(
        disk=disk("a"),
        report=DriveReport(in_progress=Technique.ATA_SANITIZE_CRYPTO if busy else None),
        choice=Choice((*offered, Technique.OVERWRITE), ()),
        request=EraseRequest(on_failure=on_failure),
        progress=progress,
    )


def test_what_remains_begins_with_the_interrupted_technique_and_has_none_that_ended() -> None:
    [new] = record_of("a").disks
    block, overwrite = Technique.ATA_SANITIZE_BLOCK, Technique.OVERWRITE
    assert erasure(new).remaining == (block, overwrite)
    assert erasure(replace(new, technique=overwrite)).remaining == (overwrite, block)
    assert erasure(replace(new, technique=block), busy=True).remaining == (block, overwrite)
    # It was interrupted, and the drive no longer offers it.
    gone = replace(new, technique=Technique.ATA_SANITIZE_OVERWRITE)
    assert erasure(gone).remaining == (block, overwrite)
    assert erasure(replace(gone, completed=True)).remaining[0] is Technique.ATA_SANITIZE_OVERWRITE
    assert erasure(replace(new, tried=(FAILED,))).remaining == (overwrite,)
    assert erasure(replace(new, tried=(FAILED,)), on_failure=OnFailure.STOP).remaining == ()
    assert erasure(replace(new, technique=block), busy=True, on_failure=OnFailure.STOP).remaining == (block,)
