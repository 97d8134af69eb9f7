"""Printable forms of names of files and members for messages and terminals."""

from __future__ import annotations

_MAX_LENGTH = 200


def printable_name(name: bytes) -> str:
    """The end of a name in quotes, with escape sequences for unprintable characters."""
    return repr(name[-_MAX_LENGTH:].decode(errors="replace"))


def printable_text(text: str) -> str:
    """A text with names for a terminal: printable characters and tabs are kept, line breaks and others become escape
    sequences of Python."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    return character.encode("unicode_escape").decode("ascii")
