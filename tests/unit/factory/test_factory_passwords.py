"""Passwords: strong, typeable, and from nothing but the source of randomness."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import InternalError
from gprov.domain.factory.passwords import (
    ALPHABET,
    BIOS_LENGTH,
    IPMI_LENGTH,
    OS_LENGTH,
    make_credentials,
    make_password,
)


def seeded(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


@settings(max_examples=200)
@given(st.integers(0, 2**64), st.integers(3, 40))
def test_characters_of_every_kind_and_none_that_are_confused(seed: int, length: int) -> None:
    text = make_password(seeded(seed), length).reveal()
    assert len(text.encode("ascii")) == length
    assert any(char.islower() for char in text)
    assert any(char.isupper() for char in text)
    assert any(char.isdigit() for char in text)
    assert not set(text) & set("0Oo1lIiyzYZ")
    assert text.isalnum()


def test_strength() -> None:
    for length, bits in ((OS_LENGTH, 110), (IPMI_LENGTH, 90), (BIOS_LENGTH, 67)):
        assert length * math.log2(len(ALPHABET)) > bits


def test_three_independent_passwords_within_the_limits_of_their_devices() -> None:
    made = make_credentials(seeded(1))
    assert len({made.os.reveal(), made.bios.reveal(), made.ipmi.reveal()}) == 3
    assert len(made.ipmi.reveal().encode()) <= 16
    assert len(made.bios.reveal().encode()) <= 20
    assert not made.ipmi.reveal().startswith(made.bios.reveal())


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    assert make_credentials(seeded(5)) == make_credentials(seeded(5))
    assert make_credentials(seeded(5)) != make_credentials(seeded(6))


def test_characters_are_equally_likely() -> None:
    token = seeded(42)
    counts = Counter(itertools.chain.from_iterable(make_password(token, 40).reveal() for _ in range(2500)))
    expected = 100_000 / len(ALPHABET)
    assert set(counts) == set(ALPHABET)
    # Six standard deviations around the mean; a modulo without rejection would be 20 % off for some.
    assert all(abs(count - expected) < 6 * expected**0.5 for count in counts.values())


@pytest.mark.parametrize("octet", [b"\x00", b"\xff"])
def test_a_broken_source_is_an_error_and_not_a_weak_password(octet: bytes) -> None:
    with pytest.raises(InternalError):
        make_password(lambda size: octet * size, 16)
