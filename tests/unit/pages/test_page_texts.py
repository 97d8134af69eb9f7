"""Times, durations, filters, addresses, cells and bars of pages."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.factory.view.addresses import unit_path, with_query
from gprov.domain.factory.view.charts import nice_ceiling, percentile, stacked_bars
from gprov.domain.factory.view.csv_cells import plain_cell, safe_cell
from gprov.domain.factory.view.time_words import duration_text, iso_text, utc_text
from gprov.domain.factory.view.unit_filters import Situation, UnitFilter, parse_time, read_filter

SECOND = 10**9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3601, "1 h"),
        (3720, "1 h 2 min"), (86399, "23 h 59 min"), (86400, "1 d"), (86460, "1 d"), (90000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_durations(seconds: int, text: str) -> None:
    assert duration_text(seconds * SECOND) == text


@given(st.integers(0, 10**18))
def test_durations_are_cut_by_less_than_their_last_part(duration_ns: int) -> None:
    size = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    words = duration_text(duration_ns).split()
    shown = sum(int(count) * size[name] for count, name in zip(words[::2], words[1::2], strict=True))
    left = duration_ns // SECOND - shown
    assert 0 <= left < {"s": 1, "min": 60, "h": 3600, "d": 86400}[words[-1]] or (
        len(words) == 2 and left < size[words[-1]]
    )


@given(st.integers(0, 2**63 - 1))
def test_times_of_any_clock_are_shown(time_ns: int) -> None:
    parsed = datetime.fromisoformat(iso_text(time_ns))
    assert utc_text(time_ns) == parsed.strftime("%Y-%m-%d %H:%M:%S")
    assert parsed == datetime.fromtimestamp(time_ns // SECOND, UTC)


def test_times_of_forms() -> None:
    day = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp()) * SECOND
    assert parse_time("2026-11-30") == day
    assert parse_time("2026-11-30 01:00") == parse_time("2026-11-30T01:00") == day + 3600 * SECOND
    assert parse_time("2026-11-30T02:00+01:00") == day + 3600 * SECOND
    assert parse_time("yesterday") is None
    assert parse_time("1969-12-31") is None
    assert parse_time("9999-12-31") is None


texts = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Zs", "Cc"]), max_size=100)


@given(texts, texts, texts, st.sampled_from(Situation))
def test_a_filter_survives_its_address(text: str, error: str, platform: str, situation: Situation) -> None:
    asked = UnitFilter(text=text, error=error, platform=platform, situation=situation, since="2026-11-30")
    assert read_filter(dict(parse_qsl(asked.query()))) == asked


def test_all_mistakes_of_a_filter_are_found() -> None:
    with pytest.raises(BadInput) as caught:
        read_filter({"q": "x" * 101, "state": "broken", "since": "noon", "until": "2026-13-01"})
    assert [problem.place for problem in caught.value.problems] == ["q", "since", "until", "state"]


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)
serials = printable.map(str.strip).filter(bool) | st.sampled_from(
    ["..", ".", "A/B", "A//B", "/", "A/../B", "100%", "A?B#C", "A\\B", "A+B", "%2e%2e", "=1+1", "view"]
)


@given(serials)
def test_the_serial_number_arrives(serial: str) -> None:
    """As a browser resolves addresses: dot segments are removed; and as servers decode them."""
    address = urlsplit(unit_path("view", serial))
    assert not address.fragment
    if address.query:
        assert address.path == "/view/"
        assert parse_qsl(address.query, strict_parsing=True) == [("serial", serial)]
    else:
        middle = address.path.removeprefix("/view/").removesuffix("/")
        assert "/" not in middle
        assert middle not in {".", ".."}
        assert unquote(middle) == serial


def test_queries_are_added() -> None:
    assert with_query("/log/", serial="A&B", page=2, none="") == "/log/?serial=A%26B&page=2"
    assert with_query("/view/?serial=x", page=2) == "/view/?serial=x&page=2"


@given(st.text())
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain_cell(cell) == text


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_cells_stay_apart(row: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([safe_cell(text) for text in row])
    assert [
        [plain_cell(cell) for cell in read] for read in csv.reader(io.StringIO(written.getvalue(), newline=""))
    ] == [row]


@given(st.lists(st.lists(st.integers(0, 1000), min_size=5, max_size=5), min_size=1, max_size=3))
def test_bars_lie_within_the_chart_and_upon_each_other(series: list[list[int]]) -> None:
    chart = stacked_bars(["a", "b", "c", "d", "e"], series)
    for index in range(5):
        bars = [row[index] for row in chart.bars]
        assert bars[0].y + bars[0].height == pytest.approx(chart.height)
        for lower, upper in itertools.pairwise(bars):
            assert upper.y + upper.height == pytest.approx(lower.y)
        assert bars[-1].y >= -1e-6
        total, top = sum(row[index] for row in series), chart.grid[-1].value
        assert sum(bar.height for bar in bars) == pytest.approx(chart.height * total / top)


@given(st.floats(0, 1e9))
def test_the_top_of_a_chart_is_a_round_number(value: float) -> None:
    top = nice_ceiling(value)
    assert top >= value
    assert str(int(top)).rstrip("0") in {"1", "2", "5"}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentiles(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.5) is None
