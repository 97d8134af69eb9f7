"""Counts of starts: two small files that may be damaged."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.boot_counts import (
    SERVICE_LINKS,
    UNCONFIRMED_WARNING_LIMIT,
    BootCounts,
    parse_confirmed,
    parse_started,
    serialise_started,
)
from gprov.domain.errors import BadInput


@given(st.integers(0, 999_999_999))
def test_what_is_written_is_read_and_counting_never_leaves_what_can_be(number: int) -> None:
    counts = BootCounts(number)
    assert parse_started("x", serialise_started(counts)) == number
    assert parse_started("x", serialise_started(counts.with_boot_attempt())) == min(number + 1, 999_999_999)


@pytest.mark.parametrize("data", [b"", b"x", b"-1", b"1 2", b"1234567890", "\u0661".encode(), b"1.0", b"\0"])
def test_what_is_no_number(data: bytes) -> None:
    with pytest.raises(BadInput, match="must be a number"):
        parse_started("x", data)


def test_a_confirmation_of_the_script() -> None:
    assert parse_confirmed("x", b"12 11\n") == (12, 11)
    with pytest.raises(BadInput, match="must be 2 numbers"):
        parse_confirmed("x", b"12\n")


@given(st.binary(max_size=40))
def test_arbitrary_bytes(data: bytes) -> None:
    for parse in (parse_started, parse_confirmed):
        with contextlib.suppress(BadInput):
            parse("x", data)


@pytest.mark.parametrize(("started", "at", "unconfirmed"), [(0, 0, 0), (3, 0, 3), (3, 3, 0), (5, 3, 2), (2, 7, 0)])
def test_starts_in_a_row_that_were_not_good(started: int, at: int, unconfirmed: int) -> None:
    assert BootCounts(started, at, 1).unconfirmed == unconfirmed


def test_counting_a_start_confirms_none() -> None:
    assert BootCounts(5, 3, 2).with_boot_attempt() == BootCounts(6, 3, 2)
    assert BootCounts() == BootCounts(0, 0, 0)


def test_unconfirmed_boots_are_reported_from_the_third_start_on() -> None:
    assert UNCONFIRMED_WARNING_LIMIT == 3


def test_where_images_say_that_they_report_good_boots() -> None:
    wanted = "systemd/system/multi-user.target.wants/gprov-boot-good.service"
    assert (f"/etc/{wanted}", f"/usr/lib/{wanted}") == SERVICE_LINKS


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(BadInput) as caught:
        parse_confirmed("counts", b"1 " + b"x" * 50)
    assert str(caught.value.problems[0]) == f"must be 2 numbers of at most 9 digits, is {b'1 ' + b'x' * 38!r}"
