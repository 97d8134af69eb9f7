"""What a password must be like: length, characters, and kinds of characters that it must have.

The default alphabet has letters and digits that are not mistaken for one another (no 0 O o, 1 l I i) and that stand at
the same place on German and US keyboards (no y z): firmware reads keys as a US keyboard whatever is printed on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import combinations

LOWER = "abcdefghjkmnpqrstuvwx"
UPPER = "ABCDEFGHJKLMNPQRSTUVWX"
DIGITS = "23456789"
ALPHABET = LOWER + UPPER + DIGITS

# Passwords are made by trying: fewer than that of all texts of the length would make it long, or fail.
_LEAST_SHARE = 0.05


class PasswordKind(Enum):
    """The values are keys of files and of the store."""

    OS = "os"
    BIOS = "bios"
    IPMI = "ipmi"


class CharacterClass(Enum):
    """The values are words of files."""

    LOWER = "lower"
    UPPER = "upper"
    DIGIT = "digit"
    SPECIAL = "special"

    def has(self, character: str) -> bool:
        match self:
            case CharacterClass.LOWER:
                return "a" <= character <= "z"
            case CharacterClass.UPPER:
                return "A" <= character <= "Z"
            case CharacterClass.DIGIT:
                return "0" <= character <= "9"
            case CharacterClass.SPECIAL:
                return not character.isalnum()


LETTERS_AND_DIGITS = (CharacterClass.LOWER, CharacterClass.UPPER, CharacterClass.DIGIT)


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """``length``: in characters, which are ASCII. ``required``: at least one character of each of these classes."""

    length: int
    alphabet: str = ALPHABET
    required: tuple[CharacterClass, ...] = LETTERS_AND_DIGITS

    def allows(self, text: str) -> bool:
        return len(text) == self.length and set(text) <= set(self.alphabet) and self._has_required(text)

    def _has_required(self, text: str) -> bool:
        return all(any(kind.has(character) for character in text) for kind in self.required)

    def choices(self) -> int:
        """How many passwords there are (inclusion and exclusion of the classes, which have no character in common)."""
        sizes = [sum(kind.has(character) for character in self.alphabet) for kind in self.required]
        return sum(
            (-1) ** count * (len(self.alphabet) - sum(missing)) ** self.length
            for count in range(len(sizes) + 1)
            for missing in combinations(sizes, count)
        )

    @property
    def bits(self) -> float:
        """Strength of a password that is drawn uniformly; 0 if there is none or one."""
        return math.log2(max(self.choices(), 1))


@dataclass(frozen=True, slots=True)
class Limits:
    """``longest``: what the device or account can take; ``bits``: a weaker password is refused."""

    longest: int
    bits: float


# The account's hash and the answer of a management controller to anyone who asks (RAKP, IPMI 2.0 section 13.31) can be
# attacked without the device; a BIOS setup only by typing. IPMI 2.0 keeps 20 bytes of a password (section 22.30).
LIMITS = {
    PasswordKind.OS: Limits(128, 64),
    PasswordKind.BIOS: Limits(32, 36),
    PasswordKind.IPMI: Limits(20, 64),
}


def rule_problems(kind: PasswordKind, rule: PasswordRule) -> Iterator[tuple[str, str]]:
    """Why passwords by this rule cannot be made, cannot be set or are weak: name of the field and message of each."""
    limits = LIMITS[kind]
    found = [*_length_problems(rule, limits), *_alphabet_problems(rule), *_class_problems(rule)]
    yield from found
    if found:
        return
    if rule.bits < limits.bits:
        yield "length", f"gives {rule.bits:.1f} bits with this alphabet, at least {limits.bits:g} are needed"
    if rule.choices() < _LEAST_SHARE * len(rule.alphabet) ** rule.length:
        yield "require", f"has classes that are too rare in the alphabet for {rule.length} characters"


def _length_problems(rule: PasswordRule, limits: Limits) -> Iterator[tuple[str, str]]:
    if not 1 <= rule.length <= limits.longest:
        yield "length", f"must be 1..{limits.longest}, is {rule.length}"
    elif len(rule.required) > rule.length:
        yield "require", f"has more classes than the {rule.length} characters of the password"


def _alphabet_problems(rule: PasswordRule) -> Iterator[tuple[str, str]]:
    strange = sorted({character for character in rule.alphabet if not "!" <= character <= "~"})
    if strange:
        yield "alphabet", f"must have visible ASCII characters only, has {', '.join(map(repr, strange))}"
    twice = sorted({character for character in rule.alphabet if rule.alphabet.count(character) > 1})
    if twice:
        yield "alphabet", f"has characters twice: {''.join(twice)}"


def _class_problems(rule: PasswordRule) -> Iterator[tuple[str, str]]:
    if len(set(rule.required)) != len(rule.required):
        yield "require", "has a class twice"
    for kind in dict.fromkeys(rule.required):
        if not any(kind.has(character) for character in rule.alphabet):
            yield "require", f"has {kind.value!r}, and the alphabet has no such character"
