"""Places of a JSON document that a person has to fill in: texts that begin with ``REPLACE-ME``, as the templates of
``gprov server init`` have them."""

from __future__ import annotations

from collections.abc import Iterator

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json

MARK = "REPLACE-ME"


def to_fill(what: str) -> str:
    """The text that stands for a value. ``what``: the value, for the person."""
    return f"{MARK}: {what}"


def note_unfilled(root: JsonObject) -> None:
    """Add a problem for each of these texts, instead of others at the same place. To be called when the document was
    read."""
    opened = next(iter(root.opened.values()))
    found = list(_unfilled(opened.value, opened.path))
    places = {problem.place for problem in found}
    root.problems[:] = [*found, *(problem for problem in root.problems if problem.place not in places)]


def _unfilled(top: Json, path: str) -> Iterator[Problem]:
    waiting: list[tuple[Json, str]] = [(top, path)]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict):
            named = [(inner, f"{place}.{key}") for key, inner in value.items() if not key.startswith("_")]
            waiting += reversed(named)
        elif isinstance(value, list):
            waiting += reversed([(inner, f"{place}[{index}]") for index, inner in enumerate(value)])
        elif isinstance(value, str) and value.startswith(MARK):
            yield Problem(place, f"is not filled in yet: {value.removeprefix(MARK).lstrip(': ') or 'a value'}")
