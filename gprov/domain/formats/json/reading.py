"""Reading JSON documents: from bytes to the object at the top, and from what was found in it to a value or
all problems.

In between, a reader asks the object (``gprov.domain.formats.json.object``) for what it wants.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import MOST_PROBLEMS, JsonObject
from gprov.domain.formats.json.value import Json, kind_of

# Files that were edited on other systems begin with it.
_BOM = b"\xef\xbb\xbf"
T = TypeVar("T")


def read_object(source: str, data: bytes) -> JsonObject:
    """Parse a JSON document whose root is an object. Raises BadInput if it is not JSON or not an object."""
    doubled: list[tuple[dict[str, Json], str]] = []
    try:
        value = json.loads(
            data.removeprefix(_BOM).decode(),
            object_pairs_hook=lambda pairs: _unique(pairs, doubled),
            parse_constant=_reject_constant,
        )
    except UnicodeDecodeError as exc:
        raise BadInput(source, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc
    except json.JSONDecodeError as exc:
        raise BadInput(source, [Problem(f"line {exc.lineno} column {exc.colno}", f"is not JSON: {exc.msg}")]) from exc
    except RecursionError as exc:
        raise BadInput(source, [Problem("$", "is nested too deeply")]) from exc
    except ValueError as exc:
        raise BadInput(source, [Problem("$", f"is not JSON: {exc}")]) from exc
    if not isinstance(value, dict):
        raise BadInput(source, [Problem("$", f"must be an object, is {kind_of(value)}")])
    return JsonObject(value, "$", list(islice(_duplicate_keys(value, doubled), MOST_PROBLEMS)))


def finish(source: str, root: JsonObject, value: T) -> T:
    """Return the parsed value, or raise BadInput with the first ``MOST_PROBLEMS`` of the collected problems."""
    if root.problems:
        raise BadInput(source, root.problems[:MOST_PROBLEMS])
    return value


def _unique(pairs: Sequence[tuple[str, Json]], doubled: list[tuple[dict[str, Json], str]]) -> dict[str, Json]:
    """The object. Duplicate keys are recorded once with the object, since its path is not known yet."""
    seen: dict[str, Json] = {}
    noted: set[str] = set()
    for key, value in pairs:
        if key in seen and key not in noted and not key.startswith("_"):
            doubled.append((seen, key))
            noted.add(key)
        seen[key] = value
    return seen


def _duplicate_keys(top: Json, doubled: Sequence[tuple[dict[str, Json], str]]) -> Iterator[Problem]:
    """Problems for duplicate keys, with JSON paths. An object that was itself overwritten has no path and is
    skipped."""
    keys: dict[int, list[str]] = {}
    for one, key in doubled:
        keys.setdefault(id(one), []).append(key)
    waiting: list[tuple[Json, str]] = [(top, "$")] if doubled else []
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            yield from (
                Problem(f"{path}.{_shown(key)}", "stands twice in one object") for key in keys.pop(id(value), ())
            )
            waiting += reversed([(inner, f"{path}.{_shown(key)}") for key, inner in value.items()])
        elif isinstance(value, list):
            waiting += reversed([(inner, f"{path}[{index}]") for index, inner in enumerate(value)])


def _shown(key: str) -> str:
    """Printable form of any key."""
    return key if key.isprintable() else ascii(key)


def _reject_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")
