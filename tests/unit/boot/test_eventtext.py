"""Events as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.event_text import event_text, log_name, percent, printable_lines, severity_of, timestamp
from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)

NOON = 1_772_366_459_123_456_789  # 2026-03-01 12:00:59.123456789 UTC


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (LogLine("found /dev/sda"), "LOG found /dev/sda"),
        (LogLine("Restarting", Severity.MSG), "MSG Restarting"),
        (LogLine("slow", Severity.WARNING), "WARNING slow"),
        (LogLine("/dev/sda: cannot read", Severity.ERROR), "ERROR /dev/sda: cannot read"),
        (LogLine(""), "LOG "),
        (Progress("verify x.upd", 1, 3), "LOG verify x.upd: 33% (1 of 3)"),
        (Progress("fetch", 7, 0), "LOG fetch: 7"),
        (StateChange(ProcessState.FR_STARTED), "LOG state FR_STARTED"),
        (OperationReport("format /dev/sda1", OperationPhase.STARTED), "LOG start: format /dev/sda1"),
        (OperationReport("format /dev/sda1", OperationPhase.DONE, 1.25), "LOG done in 1.2 s: format /dev/sda1"),
        (
            OperationReport("format", OperationPhase.FAILED, 2, "no such disk"),
            "ERROR failed after 2.0 s: format: no such disk",
        ),
        (Milestone("handover", 1.5), "LOG milestone handover at 1.500 s"),
    ],
)
def test_each_kind_of_event(body: Body, text: str) -> None:
    assert event_text(Event(1, NOON, body)) == f"2026-03-01T12:00:59.123Z {text}"


def test_a_text_of_several_lines_is_indented() -> None:
    text = event_text(Event(1, NOON, LogLine("first\n2026-03-01T12:00:59.123Z ERROR forged\r\nlast")))
    assert text.split("\n") == [
        "2026-03-01T12:00:59.123Z LOG first",
        "    2026-03-01T12:00:59.123Z ERROR forged",
        "    last",
    ]


def test_control_characters_do_nothing() -> None:
    assert printable_lines(LogLine("a\x1b[2Jb\x07\tc\udcffé")) == ("a\\x1b[2Jb\\x07\tc\\udcffé",)


@given(st.text(max_size=200))
def test_every_text_becomes_lines_that_only_print(text: str) -> None:
    written = event_text(Event(1, NOON, LogLine(text)))
    written.encode()
    first, *further = written.split("\n")
    assert first.startswith("2026-03-01T12:00:59.123Z LOG ")
    assert all(line.startswith("    ") for line in further)
    assert all(line.replace("\t", "").isprintable() for line in (first, *further))


@given(st.integers(0, 250_000_000_000), st.integers(0, 999_999_999))
def test_timestamps_are_read_back_by_the_standard_library(seconds: int, rest: int) -> None:
    read = datetime.fromisoformat(timestamp(seconds * 10**9 + rest))
    assert read == datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 10**6 * 1000)


@given(st.integers(-(10**30), 10**30))
def test_every_clock_has_a_timestamp(time_ns: int) -> None:
    assert len(timestamp(time_ns)) == 24
    assert len(log_name("recov", time_ns)) == len("recov20260301_1200.log")


def test_log_names() -> None:
    assert log_name("recov", NOON) == "recov20260301_1200.log"


@pytest.mark.parametrize(
    ("done", "total", "expected"), [(0, 3, 0), (2, 3, 66), (3, 3, 100), (4, 3, 100), (-1, 3, 0), (1, 0, 0)]
)
def test_percent(done: int, total: int, expected: int) -> None:
    assert percent(Progress("x", done, total)) == expected


def test_severities() -> None:
    assert severity_of(OperationReport("x", OperationPhase.FAILED)) is Severity.ERROR
    assert severity_of(OperationReport("x", OperationPhase.DONE)) is Severity.LOG
    assert severity_of(StateChange(ProcessState.FR_FAILED)) is Severity.LOG
