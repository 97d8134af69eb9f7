"""Names of images: what they parse to, what is refused, and their order."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.image.name import ImageName, parse_image_name

PREFIX = "WIDGET.LNX.SHINY."


def test_parts() -> None:
    name = parse_image_name("WIDGET.LNX.SHINY.2024-02-29.0107.upd", PREFIX)
    assert name == ImageName(date(2024, 2, 29), 107, "0107", PREFIX)
    assert name.filename == "WIDGET.LNX.SHINY.2024-02-29.0107.upd"
    assert name.stem == "WIDGET.LNX.SHINY.2024-02-29.0107"
    assert name.disktag == "WIDGET.LNX.SHINY.2024-02-29.0107.disktag"


@pytest.mark.parametrize(
    ("filename", "places"),
    [
        ("WIDGET.LNX.SHINY.2023-02-29.1.upd", ["date"]),
        ("WIDGET.LNX.SHINY.0000-01-01.1.upd", ["date"]),
        ("WIDGET.LNX.SHINY.2023-2-9.1.upd", ["date"]),
        ("WIDGET.LNX.SHINY.2023-02-09..upd", ["build"]),
        ("WIDGET.LNX.SHINY.2023-02-09.upd", ["build"]),
        ("WIDGET.LNX.SHINY.2023-02-09.-1.upd", ["build"]),
        ("WIDGET.LNX.SHINY.2023-02-09.1_0.upd", ["build"]),
        ("WIDGET.LNX.SHINY.2023-02-09.1.2.upd", ["build"]),
        ("WIDGET.LNX.SHINY.2023-02-09.\u0661\u0662.upd", ["build"]),  # digits, but not these
        ("WIDGET.LNX.SHINY.\u0662\u0660\u0662\u0663-02-09.1.upd", ["date"]),
        ("WIDGET.LNX.SHINY.2023-02-09.1.UPD", ["suffix"]),
        ("WIDGET.LNX.SHINY.2023-02-09.1.upd.part", ["suffix"]),
        ("WIDGET.LNX.SHINY.2023-02-09.1.upd\n", ["suffix"]),
        ("widget.LNX.SHINY.2023-02-09.1.upd", ["prefix"]),
        ("Image/WIDGET.LNX.SHINY.2023-02-09.1.upd", ["prefix"]),
        ("OTHER.LNX.SHINY.2023-13-09.x.img", ["prefix", "suffix", "date", "build"]),
        ("", ["prefix", "suffix", "date", "build"]),
        (PREFIX + "2023-02-09." + "1" * 300 + ".upd", [""]),
    ],
)
def test_every_wrong_part_is_named(filename: str, places: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_image_name(filename, PREFIX)
    assert [problem.place for problem in caught.value.problems] == places


def test_total_order_over_all_pairs() -> None:
    """By date, then by build number as an integer: gprovision compared decimal fractions, so that .9 beat .10."""
    ascending = [
        "2023-12-31.999",
        "2024-01-01.1",
        "2024-01-01.2",
        "2024-01-01.9",
        "2024-01-01.10",
        "2024-01-01.0011",
        "2024-01-01.100",
        "2024-01-02.0",
        "2024-02-01.1",
    ]
    names = [parse_image_name(f"{PREFIX}{text}.upd", PREFIX) for text in ascending]
    for (i, first), (j, second) in itertools.product(enumerate(names), repeat=2):
        assert (first < second) == (i < j)
        assert (first == second) == (i == j)


def test_leading_zeros_break_ties_the_same_way_every_time() -> None:
    one, other = (parse_image_name(f"{PREFIX}2024-01-01.{text}.upd", PREFIX) for text in ("01", "1"))
    assert one != other
    assert sorted([one, other]) == sorted([other, one])


@given(st.dates(), st.integers(0, 10**20), st.integers(0, 5), st.text(max_size=20))
def test_round_trip(day: date, build: int, zeros: int, prefix: str) -> None:
    name = ImageName(day, build, "0" * zeros + str(build), prefix)
    assert parse_image_name(name.filename, prefix) == name


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for filename in (text, f"{PREFIX}{text}.upd", f"{PREFIX}2024-01-01{text}"):
        try:
            name = parse_image_name(filename, PREFIX)
        except BadInput:
            continue
        assert name.filename == filename
