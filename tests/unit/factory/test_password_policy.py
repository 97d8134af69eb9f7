"""credentials.toml: rules, their inheritance, and all problems with their places."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.factory.password_policy import DEFAULT_RULES, PasswordPolicy, parse_policy
from gprov.domain.factory.password_rule import ALPHABET, CharacterClass, PasswordKind, PasswordRule

OS, BIOS, IPMI = PasswordKind.OS, PasswordKind.BIOS, PasswordKind.IPMI


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_policy("credentials.toml", text.encode())
    return [str(problem) for problem in caught.value.problems]


def test_nothing_stated_is_the_default() -> None:
    assert parse_policy("x", b"") == PasswordPolicy()
    assert parse_policy("x", b"").rules_for("any") == DEFAULT_RULES


def test_platforms_have_rules_of_their_own_and_the_rest_from_all_units() -> None:
    policy = parse_policy(
        "x",
        b"""
        [bios]
        length = 10
        [platform.X7.bios]
        length = 8
        alphabet = "ABCDEFGHJKLMNPQRSTUVWX23456789"
        require = []
        [platform."Y 8".ipmi]
        length = 14
        """,
    )
    short = PasswordRule(8, "ABCDEFGHJKLMNPQRSTUVWX23456789", ())
    assert policy.rules_for("X7") == {OS: PasswordRule(20), BIOS: short, IPMI: PasswordRule(16)}
    assert policy.rules_for("Y 8") == {OS: PasswordRule(20), BIOS: PasswordRule(10), IPMI: PasswordRule(14)}
    for unknown in ("", "x7", "Z"):
        assert policy.rules_for(unknown) == {OS: PasswordRule(20), BIOS: PasswordRule(10), IPMI: PasswordRule(16)}


def test_classes() -> None:
    policy = parse_policy("x", b'[os]\nrequire = ["special", "digit"]\nalphabet = "abcdefgh0123#+"\nlength = 40')
    assert policy.rules[OS].required == (CharacterClass.SPECIAL, CharacterClass.DIGIT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[ipmi]\nlength = 21", ["$.ipmi.length: must be 1..20, is 21"]),
        ("[bios]\nlength = 0", ["$.bios.length: must be 1..32, is 0"]),
        ("[bios]\nlength = 6", ["$.bios.length: gives 33.2 bits with this alphabet, at least 36 are needed"]),
        (
            '[bios]\nlength = 8\nalphabet = "0123456789"\nrequire = ["digit"]',
            ["$.bios.length: gives 26.6 bits with this alphabet, at least 36 are needed"],
        ),
        ("[os]\nlength = 11", ["$.os.length: gives 62.1 bits with this alphabet, at least 64 are needed"]),
        (
            '[os]\nalphabet = ""',
            [
                f"$.os.require: has {kind!r}, and the alphabet has no such character"
                for kind in ("lower", "upper", "digit")
            ],
        ),
        (
            '[os]\nalphabet = "abAB12\u00fc "',
            ["$.os.alphabet: must have visible ASCII characters only, has ' ', '\u00fc'"],
        ),
        ('[os]\nalphabet = "abcABC123a"', ["$.os.alphabet: has characters twice: a"]),
        (
            f'[ipmi]\nalphabet = "{ALPHABET}"\nrequire = ["digit", "odd", "digit"]',
            ["$.ipmi.require[1]: unknown value 'odd'; known: lower, upper, digit, special"],
        ),
        ('[ipmi]\nrequire = ["digit", "digit"]', ["$.ipmi.require: has a class twice"]),
        ('[ipmi]\nrequire = ["special"]', ["$.ipmi.require: has 'special', and the alphabet has no such character"]),
        (
            '[bios]\nlength = 32\nalphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"\nlenght = 3',
            ["$.bios.lenght: is not a key of this table; known: length, alphabet, require"],
        ),
        ("[bmc]\nlength = 3", ["$.bmc: is not a key of this table; known: os, bios, ipmi, platform"]),
        ("[platform.X7]\nlength = 3", ["$.platform.X7.length: is not a key of this table; known: os, bios, ipmi"]),
        ("ipmi = 3", ["$.ipmi: must be an object, is number 3"]),
        ("[platform]\nX7 = 3", ["$.platform.X7: must be an object, is number 3"]),
        ('[platform." ".ipmi]\nlength = 16', ["$.platform. : must be a code name of 1 to 100 characters"]),
        (
            '[os]\nlength = "x"\n[platform.X.bios]\nlength = 2\n[platform.Y.ipmi]\nlength = 40',
            [
                "$.os.length: must be a whole number, is text 'x'",
                "$.platform.X.bios.require: has more classes than the 2 characters of the password",
                "$.platform.Y.ipmi.length: must be 1..20, is 40",
            ],
        ),
        ("[", ["is not TOML: Invalid initial character for a key part (at end of document)"]),
    ],
)
def test_problems(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_class_that_is_too_rare_to_be_met_is_refused() -> None:
    text = f"[bios]\nlength = 8\nrequire = ['digit', 'special']\nalphabet = '{string.ascii_letters}0#'"
    assert problems(text) == ["$.bios.require: has classes that are too rare in the alphabet for 8 characters"]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@example(b"a=" + b"9" * 5000)
@example(b"[ipmi]\nlength = 2020-01-01")
def test_anything_else_is_bad_input_or_a_policy_that_is_kept(data: bytes) -> None:
    with suppress(BadInput):
        assert set(parse_policy("x", data).rules) == set(PasswordKind)


@given(
    st.integers(-3, 140),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), max_size=100),
    st.lists(st.sampled_from([*CharacterClass]), max_size=5),
    st.sampled_from(PasswordKind),
)
def test_what_is_accepted_is_strong_and_fits_the_device(
    length: int, alphabet: str, required: list[CharacterClass], kind: PasswordKind
) -> None:
    quoted = alphabet.replace("\\", "\\\\").replace('"', '\\"')
    words = ", ".join(f'"{each.value}"' for each in required)
    text = f'[{kind.value}]\nlength = {length}\nalphabet = "{quoted}"\nrequire = [{words}]'
    try:
        rule = parse_policy("x", text.encode()).rules[kind]
    except BadInput:
        return
    assert rule == PasswordRule(length, alphabet, tuple(required))
    assert rule.choices() >= 2 ** {OS: 64, BIOS: 36, IPMI: 64}[kind]
    assert len("".join(alphabet[:1] * length).encode()) <= {OS: 128, BIOS: 32, IPMI: 20}[kind]
