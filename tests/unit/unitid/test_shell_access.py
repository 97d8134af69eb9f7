"""The count of wrong passwords, and the pauses that follow from it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.unit.shell_access import LOCK_SECONDS, ShellAccess, parse_shell_access, serialise_shell_access


@given(st.integers(0, 1000))
def test_what_is_written_is_read_again(failures: int) -> None:
    assert parse_shell_access("f", serialise_shell_access(ShellAccess(failures))) == ShellAccess(failures)


@given(st.binary(max_size=60))
def test_any_other_file_is_refused_or_a_count(data: bytes) -> None:
    with suppress(BadInput):
        assert parse_shell_access("f", data).failures >= 0


@given(st.integers(0, 2000))
def test_the_pause_never_gets_shorter_and_never_longer_than_the_lock(failures: int) -> None:
    now = ShellAccess(failures)
    assert now.pause <= now.with_failure().pause <= LOCK_SECONDS


def test_the_pauses() -> None:
    pauses, access = [], ShellAccess()
    for _ in range(12):
        pauses.append(access.pause)
        access = access.with_failure()
    assert pauses == [0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


@pytest.mark.parametrize("failures", [b"-1", b"1.5", b'"1"', b"true", b"null"])
def test_a_count_that_is_none(failures: bytes) -> None:
    with pytest.raises(BadInput):
        parse_shell_access("f", b'{"Version": 1, "Failures": ' + failures + b"}")
