"""Erase reports: what they claim, and their form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.outcome import (
    DiskOutcome,
    Pass,
    TechniqueResult,
    TechniqueStatus,
    Verdict,
    Verification,
    VerificationMethod,
)
from gprov.domain.erase.patterns import Fill
from gprov.domain.erase.report import MAX_RANGES, OverallVerdict
from gprov.domain.erase.report_fields import parse_rfc3339, rfc3339
from gprov.domain.erase.report_making import ErasureFacts, areas, make_report
from gprov.domain.erase.report_text import parse_report, report_bytes
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.errors import BadInput
from tests.unit.erase.outcomes import NOW_NS, OVERWRITTEN, SIZE, any_facts, facts_of

FAILED = replace(OVERWRITTEN, verdict=Verdict.FAILED, achieved=Level.NOT_CLASSIFIED)
PARTIAL = replace(
    OVERWRITTEN,
    verdict=Verdict.PARTIAL,
    passes=(Pass(pattern=Fill(0), written=SIZE - 512, seconds=1.0, unwritten=(Extent(0, 512),)),),
    verification=Verification(method=VerificationMethod.FULL, examined=SIZE, different=(Extent(0, 512),)),
)
EXAMINED = Verification(method=VerificationMethod.CANARIES, examined=4096)


@given(any_facts())
def test_what_is_written_is_read_back_the_same(facts: ErasureFacts) -> None:
    data = report_bytes(make_report(facts))
    report = parse_report(data)
    assert report_bytes(report) == data
    assert report_bytes(make_report(facts)) == data
    assert data.endswith(b"}\n")
    assert json.loads(data)["validation"] is None


@given(any_facts())
def test_a_report_never_claims_more_than_an_outcome(facts: ErasureFacts) -> None:
    report = make_report(facts)
    order = list(Verdict)
    for outcome, entry in zip(facts.outcomes, report.disks, strict=True):
        assert order.index(entry.verdict) >= order.index(outcome.verdict)
        assert entry.achieved.rank <= outcome.achieved.rank
        assert not entry.verification.passed or outcome.verification.examined
    if report.verdict is OverallVerdict.ERASED:
        assert facts.outcomes
        assert not facts.missing
        assert all(outcome.verification.passed and outcome.technique for outcome in facts.outcomes)


@pytest.mark.parametrize(
    ("outcomes", "missing", "verdict"),
    [
        ([OVERWRITTEN], (), OverallVerdict.ERASED),
        ([OVERWRITTEN, PARTIAL], (), OverallVerdict.PARTIAL),
        ([OVERWRITTEN], ("disk 2 of 2",), OverallVerdict.INCOMPLETE),
        ([PARTIAL], ("disk 2 of 2",), OverallVerdict.INCOMPLETE),
        ([OVERWRITTEN, FAILED], ("disk 3 of 3",), OverallVerdict.FAILED),
        ([], (), OverallVerdict.INCOMPLETE),
    ],
)
def test_the_verdict_is_the_worst(
    outcomes: list[DiskOutcome], missing: tuple[str, ...], verdict: OverallVerdict
) -> None:
    assert make_report(facts_of(*outcomes, missing=missing)).verdict is verdict


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (replace(OVERWRITTEN, verification=Verification(method=VerificationMethod.NONE)), "nothing was verified"),
        (
            replace(OVERWRITTEN, verification=Verification(method=VerificationMethod.FULL, examined=SIZE - 1)),
            "not the whole disk",
        ),
        (
            replace(
                OVERWRITTEN,
                verification=Verification(method=VerificationMethod.SAMPLE, examined=512, different=(Extent(0, 512),)),
            ),
            "verification did not pass",
        ),
        (replace(OVERWRITTEN, technique=None), "no technique"),
        (replace(OVERWRITTEN, achieved=Level.PURGE), "does not reach the level purge"),
        (
            replace(
                OVERWRITTEN,
                technique=Technique.NVME_FORMAT_USER,
                verification=EXAMINED,
                tried=(TechniqueResult(Technique.NVME_FORMAT_USER, TechniqueStatus.FAILED, "gone"),),
            ),
            "did not complete",
        ),
        (replace(OVERWRITTEN, passes=PARTIAL.passes), "did not write the whole disk"),
        (replace(OVERWRITTEN, passes=()), "no overwrite pass"),
        (replace(FAILED, achieved=Level.CLEAR), "though the erase failed"),
    ],
)
def test_an_outcome_without_proof_is_certified_as_failed(outcome: DiskOutcome, reason: str) -> None:
    report = make_report(facts_of(outcome))
    (entry,) = report.disks
    assert (entry.verdict, entry.achieved) == (Verdict.FAILED, Level.NOT_CLASSIFIED)
    assert reason in " ".join(entry.errors)
    assert parse_report(report_bytes(report)) == report


def edited(old: str, new: str, count: int = 1) -> bytes:
    text = report_bytes(make_report(facts_of(OVERWRITTEN))).decode()
    assert old in text
    return text.replace(old, new, count).encode()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (edited('"achieved": "clear"', '"achieved": "purge"', 9), "does not reach the level purge"),
        (edited('"verdict": "erased"', '"verdict": "partial"'), "$.verdict: must be partial"),
        (edited('"validation": null', '"validation": "sufficient"'), "must be null"),
        (edited('"operator"', '"Operator"'), "unknown key 'Operator'"),
        (edited('"operator": "A. Person",\n', ""), "$.operator: is missing"),
        (edited('"operator": "A. Person"', '"operator": "A. Person", "more": 1'), "unknown key 'more'"),
        (edited('"operator": "A. Person"', '"operator": "A. Person", "operator": "B"'), "stands twice"),
        (edited('"seconds": 8.25', '"seconds": 8.250'), "is not written as documented"),
        (edited('"seconds": 8.25', '"seconds": 1e400'), "must be 0..1e+09"),
        (edited('"seconds": 8.25', '"seconds": "8.25"'), "must be a number"),
        (edited("}\n", "}\n\n", 99), "is not written as documented"),
        (b"\xef\xbb\xbf" + edited("}\n", "}\n"), "$"),
        (edited('"passed": true', '"passed": false'), "passed: must be true"),
        (edited('"bytes": 0', '"bytes": 512'), "ranges in order"),
        (b"[]", "must be an object"),
    ],
)
def test_anything_but_a_report_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_report(data)
    assert problem in "\n".join(caught.value.details())


def test_every_problem_is_found() -> None:
    data = edited('"size": 1073741824', '"size": "big"', 9).replace(b'"media": "rotating"', b'"media": "paper"')
    with pytest.raises(BadInput) as caught:
        parse_report(data)
    assert len(caught.value.problems) == 3


@given(
    st.lists(
        st.builds(lambda start, size: Extent(start * 10, start * 10 + size), st.integers(0, 2000), st.integers(1, 10))
    )
)
def test_too_many_ranges_are_joined_and_all_bytes_stay_covered(extents: list[Extent]) -> None:
    found = areas(extents)
    assert len(found.ranges) <= MAX_RANGES
    assert found.bytes == total_size(merged(extents))
    assert merged((*found.ranges, *extents)) == found.ranges
    if len(merged(extents)) <= MAX_RANGES:
        assert found.ranges == merged(extents)


@given(st.integers(0, 2**63 - 1))
def test_times_are_read_back_the_same(time_ns: int) -> None:
    assert parse_rfc3339(rfc3339(time_ns)) == time_ns


def test_times_are_rfc_3339() -> None:
    assert rfc3339(NOW_NS) == "2026-11-30T00:53:20.123456789Z"
    for text in ("2026-02-30T00:00:00.000000000Z", "2026-01-01T00:00:00Z", "1969-12-31T23:59:59.000000000Z", ""):
        assert parse_rfc3339(text) is None
