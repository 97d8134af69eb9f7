"""QA documents: released only after the first restore, discarded when that took too long, and contained."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.events import ProcessState as S
from gprov.domain.factory.documents import DocumentStatus, HeldDocument, decide, file_name
from gprov.domain.factory.states import UnitStatus, advance

HOLD = HeldDocument(until_ns=1000)


@pytest.mark.parametrize(
    ("now", "report", "provisioned", "status"),
    [
        (10, None, False, DocumentStatus.HELD),
        (1000, None, True, DocumentStatus.HELD),
        (1001, None, True, DocumentStatus.DISCARDED),
        (10, S.MFG_SUCCEEDED, True, DocumentStatus.HELD),
        (10, S.FR_STARTED, True, DocumentStatus.HELD),
        (10, S.FR_FAILED, True, DocumentStatus.HELD),  # the unit tries again by itself
        (10, S.FR_SUCCEEDED, True, DocumentStatus.RELEASED),
        (1000, S.FR_SUCCEEDED, True, DocumentStatus.RELEASED),
        (1001, S.FR_SUCCEEDED, True, DocumentStatus.DISCARDED),
        (10, S.FR_SUCCEEDED, False, DocumentStatus.HELD),
        (10, S.MFG_FAILED, False, DocumentStatus.DISCARDED),
        (10, S.MFG_STARTED, False, DocumentStatus.DISCARDED),
        (10, S.INIT_SUCCEEDED, True, DocumentStatus.HELD),
    ],
)
def test_decide(now: int, report: S | None, provisioned: bool, status: DocumentStatus) -> None:
    decision = decide(HOLD, now, report, provisioned)
    assert decision.status is status
    assert bool(decision.reason) == (status is not DocumentStatus.HELD)


def test_the_start_report_of_its_own_session_may_come_after_the_document() -> None:
    own = HeldDocument(until_ns=1000, same_session=True)
    assert decide(own, 10, S.MFG_STARTED, False).status is DocumentStatus.HELD


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from([None, *S])), max_size=15))
def test_a_document_is_released_only_by_a_restore_after_a_success_in_time(reports: list[tuple[int, S | None]]) -> None:
    status, now = UnitStatus(), 0
    seen: list[S] = []
    for pause, report in reports:
        now += pause
        if report is not None:
            status = advance(status, report)
            seen.append(report)
        decision = decide(HOLD, now, report, status.provisioned)
        if decision.status is DocumentStatus.RELEASED:
            assert seen[-1] is S.FR_SUCCEEDED
            assert S.MFG_SUCCEEDED in seen
            assert S.MFG_FAILED not in seen
            assert now <= HOLD.until_ns
        if now > HOLD.until_ns:
            assert decision.status is DocumentStatus.DISCARDED
        if decision.status is not DocumentStatus.HELD:
            return


names = st.text(min_size=1, max_size=100)


@settings(max_examples=200)
@given(names, names)
def test_a_file_name_is_one_visible_component(serial: str, name: str) -> None:
    made = file_name(serial, name)
    assert made == posixpath.basename(made)
    assert not made.startswith(".")
    assert 0 < len(made.encode()) <= 255
    assert made.isascii()
    assert made.isprintable()


@settings(max_examples=200)
@given(names, names, names, names)
def test_different_documents_have_different_files(serial: str, name: str, serial2: str, name2: str) -> None:
    same = (serial, name) == (serial2, name2)
    assert (file_name(serial, name) == file_name(serial2, name2)) == same


@pytest.mark.parametrize(
    ("serial", "name", "made"),
    [
        ("SN1", "qa-report.json", "SN1~qa-report.json"),
        ("/6XQ/CN", "../../etc/passwd", "%2F6XQ%2FCN~..%2F..%2Fetc%2Fpasswd"),
        (".", "x", "%2E~x"),
        ("a~b", "c", "a%7Eb~c"),
        ("a", "b~c", "a~b%7Ec"),
    ],
)
def test_file_names(serial: str, name: str, made: str) -> None:
    assert file_name(serial, name) == made


def test_long_names_stay_different() -> None:
    first, second = file_name("s" * 64, "n" * 99 + "~1"), file_name("s" * 64, "n" * 99 + "~2")
    assert first != second
    assert file_name("s" * 64, "/" * 99 + "1") != file_name("s" * 64, "/" * 99 + "2")
    assert len(file_name("s" * 64, "/" * 100)) <= 200
