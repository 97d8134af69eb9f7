"""Numbers over many units, the order of the wall screen, and filters of logs."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.server.pages.figure_queries import Tally
from gprov.apps.server.pages.figure_routes import COLUMNS, throughput
from gprov.apps.server.pages.line_routes import ROOM, line_view
from gprov.apps.server.pages.unit_lines import UnitLine, unit_line
from gprov.apps.server.pages.unit_queries import StoredUnit
from gprov.domain.errors import BadInput
from gprov.domain.events import ProcessState as S
from gprov.domain.factory.settings.pages import Pages
from gprov.domain.factory.view.figures import Span, duration_summaries, failure_kinds
from gprov.domain.factory.view.log_filters import FOR_PEOPLE, PEOPLE, TYPES, LogFilter, read_log_filter
from gprov.domain.factory.view.unit_words import NEEDS_PERSON, Patience, UnitWord

MINUTE = 60 * 10**9
NOW = 1_700_000_000 * 10**9


def line(row: int, state: S, age: int, error: str = "") -> UnitLine:
    at = NOW - age * MINUTE
    unit = StoredUnit(
        row=row,
        serial=f"SN-{row}",
        code_name="",
        state=state,
        state_ns=at,
        session=None,
        provisioning=S.UNKNOWN,
        first_seen_ns=at,
        last_seen_ns=at,
        error=error,
    )
    return unit_line(unit, NOW, Patience())


def test_the_wall_screen_has_the_oldest_that_needs_a_person_first() -> None:
    lines = [
        line(1, S.MFG_STARTED, 1),
        line(2, S.FR_SUCCEEDED, 1),
        line(3, S.MFG_FAILED, 5, "burn-in aborted after 1 s: by a person"),
        line(4, S.MFG_STARTED, 30),
        line(5, S.MFG_SUCCEEDED, 2),
        line(6, S.MFG_FAILED, 60),
        line(7, S.MFG_SUCCEEDED, 9),
        line(8, S.MFG_STARTED, 3),
        line(9, S.UNKNOWN, 3),
    ]
    view = line_view(lines, window="24 hours", cut=False)
    assert [each.unit.row for each in view.lines] == [6, 4, 3, 9, 7, 5, 8, 1]
    assert {tile.word: tile.count for tile in view.tiles} == {
        UnitWord.FAILED: 1,
        UnitWord.ABORTED: 1,
        UnitWord.SILENT: 1,
        UnitWord.UNKNOWN: 1,
        UnitWord.WAITING: 2,
        UnitWord.RUNNING: 2,
        UnitWord.RESTORED: 1,
    }


@given(st.lists(st.tuples(st.sampled_from(S), st.integers(0, 100)), max_size=40))
def test_no_unit_is_left_out_without_a_word(units: list[tuple[S, int]]) -> None:
    lines = [line(row, state, age) for row, (state, age) in enumerate(units)]
    view = line_view(lines, window="24 hours", cut=False)
    assert sum(tile.count for tile in view.tiles) == len(lines)
    done = sum(each.word in {UnitWord.RESTORED, UnitWord.STARTED} for each in lines)
    assert len(view.lines) + view.left_out == len(lines) - done
    assert len(view.lines) <= ROOM
    needs = [each.word in NEEDS_PERSON for each in view.lines]
    assert needs == sorted(needs, reverse=True)


@pytest.mark.parametrize("span", Span)
def test_the_last_part_of_a_span_is_now(span: Span) -> None:
    start = span.start(NOW)
    assert start % span.part_ns == 0
    assert (NOW - start) // span.part_ns == span.parts - 1
    assert span.words


def test_throughput() -> None:
    start = Span.DAY.start(NOW)
    tallies = [
        Tally(0, S.FR_SUCCEEDED, 3),
        Tally(23, S.MFG_FAILED, 2),
        Tally(23, S.FR_FAILED, 1),
        Tally(5, S.UNKNOWN, 9),
    ]
    found = throughput(tallies, Span.DAY, start)
    assert [words for _, words in COLUMNS] == ["provisioned", "restored", "provisioning failed", "restore failed"]
    assert found.rows[0].counts == [0, 3, 0, 0]
    assert found.rows[23].counts == [0, 0, 2, 1]
    assert sum(sum(row.counts) for row in found.rows) == 6
    restored, failed = found.chart.bars
    assert (restored[0].value, failed[0].value, failed[23].value) == (3, 0, 3)
    assert found.rows[23].label == "22:00"  # NOW is 22:13 UTC
    assert throughput([], Span.WEEK, Span.WEEK.start(NOW)).rows[-1].label == "11-14"


def test_kinds_of_failures() -> None:
    kinds = failure_kinds([("A", "burn-in failed: x"), ("B", "burn-in failed: y"), ("B", "burn-in failed"), ("A", "?")])
    assert [(kind.label, kind.count, kind.platforms) for kind in kinds] == [
        ("Burn-in failed", 3, [("B", 2), ("A", 1)]),
        ("Other", 1, [("A", 1)]),
    ]


def test_durations_by_platform() -> None:
    (one, ten) = duration_summaries([("B", value) for value in range(10, 0, -1)] + [("A", 7)])
    assert (one.code_name, one.count, one.median_ns, one.most_ns, one.longest_ns) == ("A", 1, 7, 7, 7)
    assert (ten.code_name, ten.count, ten.longest_ns) == ("B", 10, 10)
    assert 5 <= ten.median_ns <= 6
    assert 9 <= ten.most_ns <= 10


def test_filters_of_a_log() -> None:
    asked = LogFilter(kind=PEOPLE, session="2", text="a & b", since="2026-11-30", until="2026-12-01")
    assert read_log_filter(dict(parse_qsl(asked.query()))) == asked
    assert not asked.empty
    assert LogFilter().empty
    assert asked.kinds == FOR_PEOPLE
    assert LogFilter(kind="ERROR").kinds == ("ERROR",)
    assert LogFilter().kinds == ()
    assert set(FOR_PEOPLE) == set(TYPES) - {"LOG", "PROGRESS", "MILESTONE"}


def test_all_mistakes_of_a_filter_of_a_log_are_found() -> None:
    asked = {"type": "X", "session": "-1", "text": "x" * 101, "since": "noon", "until": "night"}
    with pytest.raises(BadInput) as caught:
        read_log_filter(asked)
    assert {problem.place for problem in caught.value.problems} == set(asked)


def test_settings_of_pages() -> None:
    settings = Pages(silent_minutes=0.5, line_hours=2)
    assert settings.silent_ns == MINUTE // 2
    assert settings.line_ns == 120 * MINUTE
