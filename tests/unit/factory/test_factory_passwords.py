"""Passwords: strong, typeable, by their rule, and from nothing but the source of randomness."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import InternalError
from gprov.domain.factory.password_policy import DEFAULT_RULES
from gprov.domain.factory.password_rule import ALPHABET, CharacterClass, PasswordKind, PasswordRule, rule_problems
from gprov.domain.factory.passwords import make_password

VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
CLASSES = st.lists(st.sampled_from(CharacterClass), unique=True, max_size=4).map(tuple)
RULES = st.builds(
    PasswordRule,
    st.integers(1, 32),
    st.lists(st.sampled_from(VISIBLE), min_size=1, unique=True).map("".join),
    CLASSES,
)


def seeded(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


@settings(max_examples=300)
@given(st.integers(0, 2**64), RULES, st.sampled_from(PasswordKind))
def test_a_rule_without_problems_makes_passwords_by_it(seed: int, rule: PasswordRule, kind: PasswordKind) -> None:
    if list(rule_problems(kind, rule)):
        return
    text = make_password(seeded(seed), rule).reveal()
    assert len(text.encode("ascii")) == rule.length
    assert set(text) <= set(rule.alphabet)
    found = {
        CharacterClass.LOWER: any(map(str.islower, text)),
        CharacterClass.UPPER: any(map(str.isupper, text)),
        CharacterClass.DIGIT: any(map(str.isdigit, text)),
        CharacterClass.SPECIAL: not text.isalnum(),
    }
    assert all(found[required] for required in rule.required)


@settings(max_examples=100)
@given(st.integers(0, 2**64), st.sampled_from(PasswordKind))
def test_by_default_none_has_characters_that_are_confused(seed: int, kind: PasswordKind) -> None:
    text = make_password(seeded(seed), DEFAULT_RULES[kind]).reveal()
    assert not set(text) & set("0Oo1lIiyzYZ")
    assert text.isalnum()


@given(st.lists(st.sampled_from("abAB12#+"), min_size=1, max_size=6, unique=True), st.integers(1, 4), CLASSES)
def test_the_number_of_passwords_is_that_of_all_that_are_allowed(
    letters: list[str], length: int, required: tuple[CharacterClass, ...]
) -> None:
    rule = PasswordRule(length, "".join(letters), required)
    all_texts = map("".join, itertools.product(letters, repeat=length))
    assert rule.choices() == sum(map(rule.allows, all_texts))


def test_default_passwords_are_strong_and_fit_their_devices() -> None:
    for kind, bits, longest in ((PasswordKind.OS, 112, 128), (PasswordKind.IPMI, 89, 16), (PasswordKind.BIOS, 67, 20)):
        rule = DEFAULT_RULES[kind]
        assert bits < rule.bits < rule.length * math.log2(len(ALPHABET))
        assert rule.length <= longest
        assert not list(rule_problems(kind, rule))


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    rule = PasswordRule(16)
    assert make_password(seeded(5), rule) == make_password(seeded(5), rule)
    assert make_password(seeded(5), rule) != make_password(seeded(6), rule)


@pytest.mark.parametrize("alphabet", [ALPHABET, VISIBLE, "0123456789"])
def test_characters_are_equally_likely_at_every_place(alphabet: str) -> None:
    token, length, count = seeded(42), 10, 10_000
    rule = PasswordRule(length, alphabet, ())
    made = [make_password(token, rule).reveal() for _ in range(count)]
    expected = count / len(alphabet)
    for place in range(length):
        counts = Counter(text[place] for text in made)
        assert set(counts) == set(alphabet)
        # Six standard deviations around the mean; a modulo without rejection would be 20 % off for some.
        assert all(abs(seen - expected) < 6 * expected**0.5 for seen in counts.values())


def test_every_password_of_a_rule_is_equally_likely() -> None:
    token, rule = seeded(7), PasswordRule(3, "aB1", (CharacterClass.LOWER, CharacterClass.DIGIT))
    counts = Counter(make_password(token, rule).reveal() for _ in range(12_000))
    assert len(counts) == rule.choices() == 12
    assert all(abs(seen - 1000) < 6 * 1000**0.5 for seen in counts.values())


@pytest.mark.parametrize("octet", [b"\x00", b"\xff"])
def test_a_broken_source_is_an_error_and_not_a_weak_password(octet: bytes) -> None:
    with pytest.raises(InternalError):
        make_password(lambda size: octet * size, PasswordRule(16))
    with pytest.raises(InternalError):
        make_password(lambda size: b"", replace(PasswordRule(16), required=()))
