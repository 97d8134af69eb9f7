"""Durations as persons read them at a unit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.unit.reporting.pause import format_duration

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(10.0, "10 s"), (0.5, "0.5 s"), (83.4567, "83.5 s"), (160.0, "2.67 min"), (600.0, "10 min"), (9000.0, "2.5 h")],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown


@given(st.floats(0.01, 1e6))
def test_a_duration_is_shown_within_half_a_percent_without_exponent(seconds: float) -> None:
    found = re.fullmatch(r"([0-9.]+) (s|min|h)", format_duration(seconds))
    assert found
    assert float(found[1]) * _SECONDS[found[2]] == pytest.approx(seconds, rel=0.005)
