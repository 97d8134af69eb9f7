"""Text as manual pages want it. Formats: man(7), groff_char(7), groff(7)."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Characters that the formatter replaces by others, or that have a meaning in macro calls.
_NAMED = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    '"': r"\(dq",
}
_WORD = re.compile(r"\S+")


def escaped(text: str) -> str:
    """Return the text as it is to be shown, on one line."""
    shown = "".join(_NAMED.get(character) or _glyph(character) for character in " ".join(text.split()))
    return rf"\&{shown}" if shown.startswith(".") else shown


def bold(text: str) -> str:
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    """A line may be broken between alternatives."""
    return rf"\fI{escaped(text).replace('|', '|' + chr(92) + ':')}\fR"


def synopsis(text: str) -> str:
    """Options bold, what stands for values italic."""
    return _WORD.sub(lambda word: bold(word[0]) if word[0].startswith("-") else italic(word[0]), text)


def title(name: str, day: str, version: str) -> str:
    """``day``: YYYY-MM-DD."""
    return f'.TH "{escaped(name.upper())}" 1 "{day}" "{escaped(version)}" "{escaped("User commands")}"'


def section(name: str, lines: Iterable[str]) -> list[str]:
    """Without lines there is no section."""
    content = list(lines)
    return [f".SH {name}", *content] if content else []


def tagged(tag: str, text: str) -> list[str]:
    """``tag``: with its fonts."""
    return [".TP", tag, escaped(text) or r"\&"]


def _glyph(character: str) -> str:
    return character if character.isascii() else rf"\[u{ord(character):04X}]"
