"""Names of files and members as text for people: one line that a terminal takes as text, whatever is in the name."""

from __future__ import annotations

_MAX_LENGTH = 200


def printable_name(name: bytes) -> str:
    """The end of a name between quotes; what is not printable is escaped."""
    return repr(name[-_MAX_LENGTH:].decode(errors="replace"))


def printable_text(text: str) -> str:
    """A text that holds names, for a terminal: tabs and what is printable as they are, line breaks and all else as
    escape sequences of Python."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    return character.encode("unicode_escape").decode("ascii")
