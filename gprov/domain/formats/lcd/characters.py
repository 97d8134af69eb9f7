"""Character ROM of CFA-631 and CFA-635: some ASCII characters have another code, and their codes show other letters.

Sources: the data sheets, "Character Generator ROM"; the tables of LCDproc (server/drivers/CFontz-charmap.h) and of
drivers for the CFA-634, which has the same ROM, agree. The ROM has no backquote.
"""

from __future__ import annotations

from collections.abc import Mapping

_SUBSTITUTES = {"`": "'"}

# ASCII character -> its code
_MOVED: Mapping[str, int] = {
    "$": 0xA2,
    "@": 0xA0,
    "[": 0xFA,
    "\\": 0xFB,
    "]": 0xFC,
    "^": 0x1D,
    "_": 0xC4,
    "{": 0xFD,
    "|": 0xFE,
    "}": 0xFF,
    "~": 0xCE,
}
_BLANK = 0x20

# What is shown for codes of ASCII characters that have another code, and for the symbols below 0x20.
_OTHERS: Mapping[int, str] = {
    0x24: "¤",
    0x40: "¡",
    0x5B: "Ä",
    0x5C: "Ö",
    0x5D: "Ñ",
    0x5E: "Ü",
    0x5F: "§",
    0x60: "¿",
    0x7B: "ä",
    0x7C: "ö",
    0x7D: "ñ",
    0x7E: "ü",
    0x7F: "à",
    0x10: "▶",
    0x11: "◀",
    0x14: "«",
    0x15: "»",
    0x16: "↖",
    0x17: "↗",
    0x18: "↙",
    0x19: "↘",
    0x1A: "▲",
    0x1B: "▼",
    0x1C: "⏎",
    0x1E: "ˇ",
    0x1F: "█",
}
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

_CODES = {
    character: _MOVED.get(character, ord(character))
    for character in map(chr, range(_BLANK, 0x7F))
    if character not in _SUBSTITUTES
}
_CODES |= {character: _CODES[other] for character, other in _SUBSTITUTES.items()}
_SHOWN = {
    **{code: chr(code) for code in range(_BLANK, 0x7F)},
    **_OTHERS,
    **{code: character for character, code in _MOVED.items()},
}


def encode(text: str) -> bytes:
    """Return the codes that show ``text``. A character that is not printable ASCII becomes a question mark."""
    return bytes(_CODES.get(character, ord("?")) for character in text)


def decode(codes: bytes) -> str:
    """Return what a display shows: one character per code, ``UNKNOWN`` for codes that gprov never sends (characters of
    user memory, and letters beyond ASCII)."""
    return "".join(_SHOWN.get(code, UNKNOWN) for code in codes)
