"""Text for displays: printable ASCII, wrapped at words."""

from __future__ import annotations

from collections.abc import Iterator

UNKNOWN = "?"

_REPLACEMENTS = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{HYPHEN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{SINGLE LOW-9 QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
    "«": '"',
    "»": '"',
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "-",
    "\N{BULLET}": "-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LEFTWARDS ARROW}": "<-",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{PLUS-MINUS SIGN}": "+-",
    "µ": "u",
    "°": " deg",
    "ß": "ss",
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "Ä": "Ae",
    "Ö": "Oe",
    "Ü": "Ue",
    "æ": "ae",
    "Æ": "AE",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "€": "EUR",
}


def to_ascii(text: str) -> str:
    """The text in printable ASCII and line feeds. Letters with accents lose them, other white space becomes a blank,
    anything else a question mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_ascii, "\n".join(text.splitlines())))


def _ascii(character: str) -> str:
    if character == "\n" or (character.isascii() and character.isprintable()):
        return character
    if character.isspace():
        return " "
    if character in _REPLACEMENTS:
        return _REPLACEMENTS[character]
    # Imported here: messages are ASCII nearly always, and these tables are large.
    from unicodedata import normalize

    base = normalize("NFKD", character)
    plain = "".join(one for one in base if one.isascii() and one.isprintable())
    return plain or UNKNOWN


def wrap(text: str, columns: int) -> tuple[str, ...]:
    """Lines of at most ``columns`` characters: broken at white space and line feeds, and within words that are longer
    than a line. At least one line, which may be empty. Each character that is not white space is in exactly one
    line."""
    lines = [line for paragraph in to_ascii(text).split("\n") for line in _wrapped(paragraph.split(), columns)]
    return tuple(lines) or ("",)


def _wrapped(words: list[str], columns: int) -> Iterator[str]:
    line = ""
    for word in words:
        rest = word
        if line and len(line) + 1 + len(rest) <= columns:
            line = f"{line} {rest}"
            continue
        if line:
            yield line
        while len(rest) > columns:
            yield rest[:columns]
            rest = rest[columns:]
        line = rest
    if line:
        yield line


def one_line(text: str) -> str:
    """The text in ASCII on one line, without white space at its ends."""
    return " ".join(to_ascii(text).split())
