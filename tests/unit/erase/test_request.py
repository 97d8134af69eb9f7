"""Options of an erase, the choice of techniques, and the record on RECOVERY."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.erase.choose import choose_techniques, preference
from gprov.domain.erase.drive_report import DriveReport, Offer, Refusal
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.record import DiskProgress, EraseRecord, RecordState, parse_record, serialise_record
from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.request_text import parse_request
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.erase.variable_choice import VariableChoice
from gprov.domain.errors import BadInput

TECHNIQUE = st.sampled_from(Technique)
VENDOR = "12345678-1234-1234-1234-123456789abc"
CHOICES = (VariableChoice(VENDOR), VariableChoice(VENDOR, "Name"), VariableChoice(VENDOR, "a-b"))
REQUESTS = st.builds(
    EraseRequest,
    level=st.sampled_from(Level),
    technique=st.none() | TECHNIQUE,
    opted_in=st.frozensets(TECHNIQUE),
    on_failure=st.sampled_from(OnFailure),
    scheme=st.sampled_from(Scheme),
    read_back=st.sampled_from(ReadBack),
    keep_raid_metadata=st.none() | st.booleans(),
    clear_uefi_variables=st.booleans(),
    uefi_variables=st.lists(st.sampled_from(CHOICES), unique=True).map(tuple),
    clear_tpm=st.booleans(),
    unrecorded=st.booleans(),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() != ""
)
DISKS = st.builds(
    DiskProgress,
    identity=TEXT,
    size=st.integers(0, 2**60),
    seed=TEXT,
    technique=st.none() | TECHNIQUE,
    completed=st.booleans(),
    pass_number=st.integers(0, 9),
    done=st.integers(0, 2**60),
    tried=st.lists(
        st.builds(TechniqueResult, TECHNIQUE, st.sampled_from(TechniqueStatus), st.text("ab c", max_size=9)), max_size=4
    ).map(tuple),
    former=st.lists(st.tuples(st.integers(0, 2**50), st.just("ab" * 32)), max_size=3).map(tuple),
)
RECORDS = st.builds(
    EraseRecord,
    state=st.sampled_from(RecordState),
    started_ns=st.integers(0, 2**62),
    request=REQUESTS,
    cleared=st.booleans(),
    disks=st.lists(DISKS, max_size=3).map(tuple),
    summary=st.text("abc ", max_size=30),
)


@given(record=RECORDS)
def test_a_record_is_read_as_it_was_written(record: EraseRecord) -> None:
    assert parse_record("erase.json", serialise_record(record)) == record


@given(data=st.binary(max_size=200))
def test_any_other_record_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_record("erase.json", data)


def test_options_change_the_request() -> None:
    text = "technique:overwrite, scheme:three,read-back:sample,on-failure:stop,keep-raid-metadata:no,level:purge"
    assert parse_request(text, EraseRequest()) == EraseRequest(
        technique=Technique.OVERWRITE,
        scheme=Scheme.THREE,
        read_back=ReadBack.SAMPLE,
        on_failure=OnFailure.STOP,
        keep_raid_metadata=False,
        level=Level.PURGE,
    )


def test_options_for_the_machine() -> None:
    assert parse_request("clear-uefi-variables:yes,clear-tpm:YES", EraseRequest()) == EraseRequest(
        clear_uefi_variables=True, clear_tpm=True
    )
    named = parse_request(f"uefi-variable:Name-{VENDOR.upper()},UEFI-variable:{VENDOR}", EraseRequest())
    assert named == EraseRequest(clear_uefi_variables=True, uefi_variables=(CHOICES[1], CHOICES[0]))
    for wrong in (f"uefi-variable:{VENDOR},clear-uefi-variables:no", "uefi-variable:Name", "clear-tpm:perhaps"):
        with pytest.raises(BadInput):
            parse_request(wrong, EraseRequest())


def test_no_options_leave_the_default() -> None:
    default = EraseRequest(scheme=Scheme.ZERO)
    assert parse_request("", default) == default


def test_every_option_that_is_not_understood_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        parse_request("speed:high,scheme:four,opt-in:overwrite,scheme:zero", EraseRequest())
    assert [problem.place for problem in caught.value.problems] == ["speed", "scheme", "opt-in"]


@given(offered=st.sets(TECHNIQUE), request=REQUESTS)
def test_the_best_level_comes_first_and_nothing_is_used_unasked(offered: set[Technique], request: EraseRequest) -> None:
    report = DriveReport(offers=tuple(Offer(technique) for technique in offered))
    choice = choose_techniques(report, request)
    assert list(choice.techniques) == sorted(choice.techniques, key=preference)
    for technique in choice.techniques:
        assert technique in offered or technique is Technique.OVERWRITE
        asked = technique is request.technique or technique in request.opted_in
        assert asked or not TECHNIQUES[technique].opt_in
        assert request.technique in (None, technique)
    used, refused = set(choice.techniques), {refusal.technique for refusal in choice.refusals}
    if request.on_failure is OnFailure.NEXT and request.technique is None:
        assert used | refused == offered | {Technique.OVERWRITE}


def test_a_technique_that_the_drive_refuses_keeps_its_reason() -> None:
    refusal = Refusal(Technique.ATA_SECURITY_ENHANCED, "security is frozen")
    choice = choose_techniques(DriveReport(refusals=(refusal,)), EraseRequest())
    assert choice.refusals == (refusal,)
    assert choice.techniques == (Technique.OVERWRITE,)


def test_a_technique_by_name_that_the_drive_lacks_leaves_nothing_to_do() -> None:
    choice = choose_techniques(DriveReport(), EraseRequest(technique=Technique.NVME_SANITIZE_BLOCK))
    assert choice.techniques == ()
    assert choice.refusals[0].reason == "the drive does not state that it supports it"
