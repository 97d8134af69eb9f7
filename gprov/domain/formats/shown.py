"""Names of files and members as text for people: one line that a terminal takes as text, whatever is in the name."""

from __future__ import annotations

_LONGEST = 200


def show(name: bytes) -> str:
    """The end of a name between quotes; what is not printable is escaped."""
    return repr(name[-_LONGEST:].decode(errors="replace"))


def plain(text: str) -> str:
    """A text that holds names: as it is if all of it is printable, else with each character that is not as an escape
    sequence of Python. Line breaks are not printable either."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode("ascii") for one in text
    )
