"""Lines of the agent in the journal."""

from __future__ import annotations

import pytest

from gprov.adapters.linux.update.journal import JournalSink
from gprov.domain.events import Event, LogLine, Severity

SECOND = 10**9
FAULT = LogLine("the server is away", Severity.ERROR)


def said(sink: JournalSink, capsys: pytest.CaptureFixture[str], *events: tuple[int, LogLine]) -> list[str]:
    for number, (seconds, body) in enumerate(events):
        sink.publish(Event(number, seconds * SECOND, body))
    return capsys.readouterr().err.splitlines()


def test_a_fault_that_lasts_is_told_once_in_an_hour(capsys: pytest.CaptureFixture[str]) -> None:
    times = (0, 10, 20, 3599, 3600, 3610, 7200)
    assert len(said(JournalSink(journal=True), capsys, *((at, FAULT) for at in times))) == 3


def test_a_change_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    other = LogLine("the clock is wrong", Severity.WARNING)
    events = ((0, FAULT), (1, other), (2, FAULT), (3, LogLine("x")), (4, LogLine("x")), (5, other))
    assert said(JournalSink(journal=True), capsys, *events) == [
        "<3>the server is away",
        "<4>the clock is wrong",
        "<6>x",
        "<6>x",
    ]


def test_a_clock_that_is_set_back_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(said(JournalSink(journal=True), capsys, (90000, FAULT), (10, FAULT))) == 2


def test_a_person_at_a_terminal_sees_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(JournalSink(journal=False), capsys, (0, FAULT), (1, FAULT)) == ["ERROR: the server is away"] * 2
