"""Password hashes against other programs that know crypt(5)."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.system.passwords import CryptPasswordHasher
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Secret
from tests.unit.disk.test_accounts import OF_NOTHING

HASHER = CryptPasswordHasher()
PASSWORD = "correct horse battery staple é"


pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl")


def crypt(password: str, setting: str) -> str:
    """What another program makes of it."""
    script = "local $/; $p = <STDIN>; print crypt($p, $ARGV[0])"
    argv = ("perl", "-e", script, setting)
    done = subprocess.run(argv, input=password, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_each_hash_is_yescrypt_with_a_different_salt() -> None:
    first, second = HASHER.hash(Secret(PASSWORD)), HASHER.hash(Secret(PASSWORD))
    assert first.startswith("$y$")
    assert first.split("$")[3] != second.split("$")[3]


def test_a_hash_matches_its_password_only() -> None:
    hashed = HASHER.hash(Secret(PASSWORD))
    assert crypt(PASSWORD, hashed) == hashed
    for other in ("", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1]):
        assert crypt(other, hashed) != hashed


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_text_is_hashed_or_refused_without_showing_it(text: str) -> None:
    if "\0" in text:
        with pytest.raises(BadInput) as caught:
            HASHER.hash(Secret(text))
        assert len(text) < 4 or text not in str(caught.value)
    else:
        hashed = HASHER.hash(Secret(text))
        assert crypt(text, hashed) == hashed


@pytest.mark.parametrize("password", ["with\0NUL", "x" * 512, "é" * 256, "half \ud800 pair"])
def test_refuses_passwords_that_crypt_would_cut(password: str) -> None:
    with pytest.raises(BadInput) as caught:
        HASHER.hash(Secret(password))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_longest_password_is_not_cut() -> None:
    hashed = HASHER.hash(Secret("xy" * 255))
    assert crypt("xy" * 255, hashed) == hashed
    assert crypt("x" * 510, hashed) != hashed


def test_a_missing_library_is_reported() -> None:
    hasher = CryptPasswordHasher(("libcrypt.so.none", "libcrypt.so.other"))
    with pytest.raises(DeviceMissing):
        hasher.hash(Secret("x"))


@pytest.mark.parametrize("known", OF_NOTHING)
def test_known_hashes_of_the_empty_password_are_such(known: bytes) -> None:
    assert crypt("", known.decode()) == known.decode()
    assert crypt("x", known.decode()) != known.decode()


@pytest.mark.parametrize("password", ["correct horse", "ä€ 1234", "xy" * 255])
def test_a_stored_hash_matches_its_password_only(password: str) -> None:
    stored = HASHER.hash(Secret(password))
    assert HASHER.matches(Secret(password), stored)
    assert not HASHER.matches(Secret(password[:-1]), stored)


@pytest.mark.parametrize("stored", ["!", "*", "", "!$6$salt$", "$", "$6$", "$y$", "plain", "$unknown$x$y", "x" * 600])
def test_a_text_that_is_no_hash_matches_nothing(stored: str) -> None:
    for typed in ("", "!", "*", "plain", stored):
        assert not HASHER.matches(Secret(typed), PasswordHash(stored))


def test_the_system_s_own_tool_makes_hashes_that_match() -> None:
    made = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=b"correct horse\n", capture_output=True, check=True
    )
    stored = PasswordHash(made.stdout.decode().strip())
    assert HASHER.matches(Secret("correct horse"), stored)
    assert not HASHER.matches(Secret("correct horse "), stored)
