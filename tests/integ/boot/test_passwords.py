"""Password hashes against other programs that know crypt(5)."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.passwords import CryptPasswordHasher
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.unit.credentials import PasswordHash, Secret

HASHER = CryptPasswordHasher()
PASSWORD = "correct horse battery staple é"


def run(*argv: str, stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_hash_is_yescrypt_with_a_salt_of_its_own() -> None:
    first, second = HASHER.hash(Secret(PASSWORD)), HASHER.hash(Secret(PASSWORD))
    assert first.startswith("$y$")
    assert first.split("$")[3] != second.split("$")[3]


def test_a_hash_matches_its_password_only() -> None:
    hashed = HASHER.hash(Secret(PASSWORD))
    assert HASHER.matches(Secret(PASSWORD), hashed)
    for other in ("", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1]):
        assert not HASHER.matches(Secret(other), hashed)


@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl")
def test_perl_computes_the_same_yescrypt() -> None:
    hashed = HASHER.hash(Secret(PASSWORD))
    script = "chomp($p = <STDIN>); print crypt($p, $ARGV[0])"
    assert run("perl", "-e", script, hashed, stdin=PASSWORD + "\n") == hashed


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_matches_what_openssl_hashed_with_sha_512() -> None:
    hashed = PasswordHash(run("openssl", "passwd", "-6", "-salt", "saltstring", "-stdin", stdin=PASSWORD + "\n"))
    assert HASHER.matches(Secret(PASSWORD), hashed)
    assert not HASHER.matches(Secret("other"), hashed)


@pytest.mark.parametrize("hashed", ["", "!", "*", "!$y$j9T$abc$def", "x", "$y$", "$zz$abc$", "$6$salt\0x", "é\udcff"])
def test_nothing_matches_what_is_no_hash(hashed: str) -> None:
    assert not HASHER.matches(Secret(PASSWORD), PasswordHash(hashed))


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_text_is_hashed_or_refused_without_showing_it(text: str) -> None:
    if "\0" in text:
        with pytest.raises(BadInput) as caught:
            HASHER.hash(Secret(text))
        assert len(text) < 4 or text not in str(caught.value)
    else:
        assert HASHER.matches(Secret(text), HASHER.hash(Secret(text)))


@pytest.mark.parametrize("password", ["with\0NUL", "x" * 512, "é" * 256, "half \ud800 pair"])
def test_refuses_passwords_that_crypt_would_cut(password: str) -> None:
    with pytest.raises(BadInput) as caught:
        HASHER.hash(Secret(password))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_longest_password_is_not_cut() -> None:
    hashed = HASHER.hash(Secret("x" * 511))
    assert HASHER.matches(Secret("x" * 511), hashed)
    assert not HASHER.matches(Secret("x" * 510), hashed)


def test_a_missing_library_is_reported() -> None:
    hasher = CryptPasswordHasher("libcrypt.so.none")
    with pytest.raises(DeviceMissing):
        hasher.hash(Secret("x"))
    with pytest.raises(DeviceMissing):
        hasher.matches(Secret("x"), PasswordHash("$6$salt$x"))
