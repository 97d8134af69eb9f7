"""Regular expressions out of configuration files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.platform.patterns import pattern_matches, pattern_problem


@pytest.mark.parametrize("pattern", ["", ".*", "^OX-1[0-9]$", "(?i)a|b", "a{2,3}?"])
def test_usable(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    "pattern", ["(", "a**", "[[:alpha:]]", r"\pL", "a{99999999999}", "x(?i)", "[b-a]", "(" * 5000 + ")" * 5000]
)
def test_refused(pattern: str) -> None:
    assert pattern_problem(pattern).startswith("is not a usable regular expression")
    with pytest.raises(BadInput):
        pattern_matches(pattern, "x")


def test_a_match_anywhere_counts() -> None:
    assert pattern_matches("1[0-9]", "OX-12")
    assert not pattern_matches("^1[0-9]", "OX-12")


@settings(max_examples=200)
@given(st.text(alphabet="ab()[]{}*+?|\\^$.:=!<>-,09Pix", max_size=12))
def test_whatever_is_not_refused_can_be_used(pattern: str) -> None:
    if not pattern_problem(pattern):
        pattern_matches(pattern, "ab09")
