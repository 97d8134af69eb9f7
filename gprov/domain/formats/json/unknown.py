"""Keys of a JSON document that its reader did not ask for: misspelt ones, and those of other programs."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import MOST_PROBLEMS, JsonObject, Opened

# Of a key in a message, and of one that is compared with others, which takes the square of its length.
_MOST_CHARACTERS = 60


def unknown_keys(root: JsonObject) -> tuple[Problem, ...]:
    """At most ``MOST_PROBLEMS`` of the document, each with its JSON path and the most similar key that is read there.
    To be called when the whole document was read. Comments, and what is inside an unknown key, are left out."""
    found = (
        Problem(f"{opened.path}.{_shown(key)}", _message(key, opened))
        for opened in root.opened.values()
        for key in _unknown(opened)
    )
    return tuple(islice(found, MOST_PROBLEMS))


def note_misspelt(root: JsonObject) -> tuple[Problem, ...]:
    """Return ``unknown_keys``. In a document that has problems, they become problems too: a misspelt key is often why
    another one is missing."""
    found = unknown_keys(root)
    if root.problems:
        root.problems.extend(found)
    return found


def _unknown(opened: Opened) -> list[str]:
    asked = {key.lower() for key in opened.asked}
    return [key for key in opened.value if not key.startswith("_") and key.lower() not in asked]


def _message(key: str, opened: Opened) -> str:
    known = {name.lower(): name for name in sorted(opened.asked)}
    similar = get_close_matches(key[:_MOST_CHARACTERS].lower(), known, 1)
    hint = f"; is {known[similar[0]]} meant?" if similar else ""
    return f"is ignored: no key of this name is known here{hint}"


def _shown(key: str) -> str:
    short = key[:_MOST_CHARACTERS]
    return short if short.isprintable() else ascii(short)
