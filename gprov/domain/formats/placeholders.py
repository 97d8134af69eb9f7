"""Texts that stand where a maker should have put a number, by rule: firmware has them in any spelling.

A text is compared by its letters and digits alone ("To be filled by O.E.M." is ``tobefilledbyoem``).
"""

from __future__ import annotations

# One character cannot tell the devices of a series apart.
MIN_CHARACTERS = 2
_MIN_REPEATED = 3  # "11" may be the eleventh device
# So many consecutive characters from the beginning of the alphabet or of the digits were typed and not counted.
_MIN_SEQUENCE = 6
_MAX_LENGTH = 256  # characters that are looked at: more is no such text
_ROWS = (
    "0123456789abcdef",
    "123456789abcdef",
    "1234567890" * 2,
    "0123456789" * 2,
    "abcdefghijklmnopqrstuvwxyz",
    "9876543210",
    "fedcba9876543210",
)
_WORDS = frozenset(
    (
        "applicable", "asset", "available", "bad", "base", "baseboard", "be", "board", "by", "chassis", "default",
        "defined", "empty", "enter", "filled", "for", "here", "index", "invalid", "manufacturer", "n", "na", "nil",
        "no", "none", "not", "notset", "null", "num", "number", "o", "oem", "placeholder", "present", "product",
        "provided", "reserved", "s", "serial", "set", "settable", "sn", "specified", "string", "system", "tag", "tbd",
        "the", "to", "undefined", "unknown", "unset", "unspecified", "unavailable", "value", "your",
    )
)  # fmt: skip
_MAX_WORD = max(map(len, _WORDS))
_FILLERS = frozenset("0x")


def placeholder(text: str) -> str:
    """Why this text is no number of a single device; "" if it may be one."""
    plain = folded(text)
    if not plain:
        return "is empty"
    if len(plain) < MIN_CHARACTERS:
        return f"has fewer than {MIN_CHARACTERS} letters and digits"
    if len(set(plain)) == 1 and (len(plain) >= _MIN_REPEATED or plain[0] in _FILLERS):
        return "is one character repeated"
    if len(plain) >= _MIN_SEQUENCE and any(row.startswith(plain) for row in _ROWS):
        return "is a sequence"
    return "consists of makers' words" if _made_of_words(plain) else ""


def folded(text: str) -> str:
    """Letters and digits of ASCII in lower case."""
    return "".join(character for character in text.lower() if character.isascii() and character.isalnum())


def _made_of_words(plain: str) -> bool:
    """Nothing but words of the list, with zeros and crosses between and behind them."""
    if len(plain) > _MAX_LENGTH or not any(word in plain for word in _WORDS if len(word) > 1):
        return False
    reached = [True] + [False] * len(plain)
    for end in range(1, len(plain) + 1):
        filler = plain[end - 1] in _FILLERS and reached[end - 1]
        starts = range(max(0, end - _MAX_WORD), end)
        reached[end] = filler or any(reached[start] and plain[start:end] in _WORDS for start in starts)
    return reached[-1]
