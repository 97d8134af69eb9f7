"""Roles, names and passwords of accounts, and how long a person is signed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.factory.accounts import (
    ROLE_WORDS,
    Role,
    Times,
    check_managed,
    check_password,
    checked_name,
    checked_reason,
    is_current,
)

HOUR = 3600 * 10**9


def test_each_role_includes_those_before_it() -> None:
    assert [role.value for role in Role] == ["view", "operate", "reveal", "manage"]
    assert Role.REVEAL.includes(Role.OPERATE)
    assert not Role.REVEAL.includes(Role.MANAGE)
    assert Role.OPERATE.may == {"view", "operate"}
    assert ROLE_WORDS.keys() == set(Role)


@pytest.mark.parametrize("name", ["", ".a", "a b", "a/b", "a\n", "ä", "a" * 65, "-a", "a-"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        checked_name(name)


@pytest.mark.parametrize("name", ["a", "anna", "anna.b@example.org", "A-1"])
def test_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "12 to 200"),
        ("x" * 201, "12 to 200"),
        ("aaaaaaaaaaaabb", "different characters"),
        ("this is anna's", "name of the account"),
        ("correct horse\tbattery", "printable"),
    ],
)
def test_passwords_that_are_refused(password: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        check_password("Anna", password)


def test_a_password_of_words_is_taken() -> None:
    check_password("anna", "correct horse battery")


@given(st.integers(0, 10 * HOUR), st.integers(0, 10 * HOUR), st.integers(0, 20 * HOUR))
def test_a_session_ends_after_its_idle_time_and_in_any_case(began: int, idle: int, now: int) -> None:
    times, seen = Times(HOUR, 12 * HOUR), began + idle
    current = is_current(times, began, seen, now)
    assert current == (now <= seen + HOUR and now <= began + 12 * HOUR)


def test_reasons_are_a_line() -> None:
    assert checked_reason("  case 7 ") == "case 7"
    for text in ("", " ", "a\nb", "x" * 501):
        with pytest.raises(BadInput):
            checked_reason(text)


@pytest.mark.parametrize("name", ["server", "Server", "root"])
def test_no_account_is_taken_for_the_server_or_its_host(name: str) -> None:
    """Both are in the audit trail by these names."""
    with pytest.raises(BadInput, match="audit trail"):
        checked_name(name)


def test_an_account_can_always_manage() -> None:
    with pytest.raises(BadInput):
        check_managed([])
    check_managed([Role.VIEW, Role.MANAGE])
    with pytest.raises(BadInput, match="at least one account"):
        check_managed([Role.REVEAL])
