"""Reading JSON documents: typed access that collects every problem with its path instead of stopping at the first.

Keys match exactly, else without regard to case (files in the field were written for a reader that does so).
Unknown keys are ignored; keys that begin with ``_`` are comments. A getter that finds a wrong type notes a problem
and returns its default, so that reading goes on and finds the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from gprov.domain.errors import BadInput, Problem

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None
# Larger numbers mean nothing here, and could not be written back: Python refuses to print what has too many digits.
_MOST = 2**63 - 1
# Files that were edited on other systems begin with it.
_BOM = b"\xef\xbb\xbf"

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class JsonObject:
    """One JSON object at ``path`` ("$.Files[2]"), noting problems in a list that the whole document shares."""

    def __init__(self, value: Mapping[str, Json], path: str, problems: list[Problem]) -> None:
        self._value = value
        self.path = path
        self.problems = problems

    def problem(self, key: str, message: str) -> None:
        """Note a problem with a key (or, with "", with the object itself)."""
        self.problems.append(Problem(f"{self.path}.{key}" if key else self.path, message))

    def has(self, key: str) -> bool:
        return self._find(key) is not None

    def keys(self) -> tuple[str, ...]:
        """Keys that are not comments."""
        return tuple(key for key in self._value if not key.startswith("_"))

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        value = self._get(key, required)
        if value is None:
            return default
        if not isinstance(value, str):
            self._wrong(key, "text", value)
            return default
        if _torn(value):
            self.problem(key, "holds half of a surrogate pair")
            return default
        if required and not value.strip():
            self.problem(key, "must not be empty")
        return value

    def integer(
        self,
        key: str,
        default: int = 0,
        *,
        required: bool = False,
        least: int | None = None,
        most: int | None = None,
    ) -> int:
        value = self._get(key, required)
        if value is None:
            return default
        number = _whole(value)
        if number is None:
            self._wrong(key, "a whole number", value)
            return default
        if (least is not None and number < least) or (most is not None and number > most):
            self.problem(key, f"must be {_bounds(least, most)}, is {number}")
            return default
        return number

    def boolean(self, key: str, default: bool = False) -> bool:
        value = self._get(key, False)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self._wrong(key, "true or false", value)
        return default

    def one_of(self, key: str, members: Mapping[str, T], default: T, *, required: bool = False) -> T:
        """A word out of ``members``, in any case."""
        value = self._get(key, required)
        if value is None:
            return default
        if not isinstance(value, str):
            self._wrong(key, "text", value)
            return default
        for name, member in members.items():
            if name.lower() == value.lower():
                return member
        self.problem(key, f"unknown value {value!r}; known: {', '.join(members)}")
        return default

    def object(self, key: str, *, required: bool = False) -> JsonObject | None:
        value = self._get(key, required)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return JsonObject(value, f"{self.path}.{key}", self.problems)
        self._wrong(key, "an object", value)
        return None

    def objects(self, key: str, *, required: bool = False) -> tuple[JsonObject, ...]:
        return self._list(key, required, "an object", self._as_object)

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        return self._list(key, required, "whole text", lambda value, _: _text(value))

    def integers(self, key: str, *, required: bool = False) -> tuple[int, ...]:
        return self._list(key, required, "a whole number", lambda value, _: _whole(value))

    def lists_of_objects(self, key: str, *, required: bool = False) -> tuple[tuple[JsonObject, ...], ...]:
        """A list of lists of objects."""

        def inner(value: Json, path: str) -> tuple[JsonObject, ...] | None:
            if not _is_list(value):
                return None
            return _collect(value, path, self.problems, "an object", self._as_object)

        return self._list(key, required, "a list of objects", inner)

    def string_map(self, key: str) -> dict[str, str]:
        """An object whose values are all text; comments left out."""
        inner = self.object(key)
        if inner is None:
            return {}
        names = inner.keys()
        if any(_torn(name) for name in names):
            self.problem(key, "has a key with half of a surrogate pair")
        return {name: inner.text(name) for name in names if not _torn(name)}

    def _as_object(self, value: Json, path: str) -> JsonObject | None:
        return JsonObject(value, path, self.problems) if isinstance(value, Mapping) else None

    def _list(self, key: str, required: bool, what: str, read: Callable[[Json, str], T | None]) -> tuple[T, ...]:
        value = self._get(key, required)
        if value is None:
            return ()
        if not _is_list(value):
            self._wrong(key, "a list", value)
            return ()
        return _collect(value, f"{self.path}.{key}", self.problems, what, read)

    def _names(self, key: str) -> list[str]:
        """How the key is spelled here, the exact one first."""
        lower = key.lower()
        return sorted((name for name in self._value if name.lower() == lower), key=lambda name: name != key)

    def _find(self, key: str) -> Json:
        names = self._names(key)
        return self._value[names[0]] if names else None

    def _get(self, key: str, required: bool) -> Json:
        names = self._names(key)
        if len(names) > 1:
            twice = Problem(f"{self.path}.{key}", f"stands here as {' and '.join(map(repr, names))}")
            if twice not in self.problems:
                self.problems.append(twice)
        value = self._find(key)
        if value is None and required:
            self.problem(key, "is missing")
        return value

    def _wrong(self, key: str, wanted: str, value: Json) -> None:
        self.problem(key, f"must be {wanted}, is {_kind(value)}")


def read_object(what: str, data: bytes) -> JsonObject:
    """Parse a JSON document whose top is an object. Raises BadInput if it is no JSON or no object."""
    doubled: list[tuple[dict[str, Json], str]] = []
    try:
        value = json.loads(
            data.removeprefix(_BOM).decode(),
            object_pairs_hook=lambda pairs: _unique(pairs, doubled),
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as exc:
        raise BadInput(what, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc
    except json.JSONDecodeError as exc:
        raise BadInput(what, [Problem(f"line {exc.lineno} column {exc.colno}", f"is not JSON: {exc.msg}")]) from exc
    except RecursionError as exc:
        raise BadInput(what, [Problem("$", "is nested too deeply")]) from exc
    except ValueError as exc:
        raise BadInput(what, [Problem("$", f"is not JSON: {exc}")]) from exc
    if not isinstance(value, dict):
        raise BadInput(what, [Problem("$", f"must be an object, is {_kind(value)}")])
    return JsonObject(value, "$", list(_places(value, doubled)))


def finish(what: str, root: JsonObject, value: T) -> T:
    """The parsed value, or BadInput with everything that was noted on the way."""
    if root.problems:
        raise BadInput(what, root.problems)
    return value


def _unique(pairs: Sequence[tuple[str, Json]], doubled: list[tuple[dict[str, Json], str]]) -> dict[str, Json]:
    """The object; keys that stand in it twice are noted with it: where it belongs is not known yet."""
    seen: dict[str, Json] = {}
    for key, value in pairs:
        if key in seen and not key.startswith("_"):
            doubled.append((seen, key))
        seen[key] = value
    return seen


def _places(top: Json, doubled: Sequence[tuple[dict[str, Json], str]]) -> Iterator[Problem]:
    """With the JSON path of each; one that stands in what is overwritten itself has none any more."""
    keys: dict[int, list[str]] = {}
    for one, key in doubled:
        keys.setdefault(id(one), []).append(key)
    waiting: list[tuple[Json, str]] = [(top, "$")] if doubled else []
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            yield from (Problem(f"{path}.{key}", "stands twice in one object") for key in keys.pop(id(value), ()))
            waiting += reversed([(inner, f"{path}.{key}") for key, inner in value.items()])
        elif isinstance(value, list):
            waiting += reversed([(inner, f"{path}[{index}]") for index, inner in enumerate(value)])


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and not _torn(value) else None


def _torn(text: str) -> bool:
    """Escapes can make text that no file and no terminal takes."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _bounds(least: int | None, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"{least}..{most}"


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _collect(
    value: Json, path: str, problems: list[Problem], what: str, read: Callable[[Json, str], T | None]
) -> tuple[T, ...]:
    found: list[T] = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            one = read(item, place)
            if one is None:
                problems.append(Problem(place, f"must be {what}, is {_kind(item)}"))
            else:
                found.append(one)
    return tuple(found)


def _whole(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) <= _MOST else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {value[:40]!r}"
    if isinstance(value, int) and abs(value) > _MOST:
        return "a number of more than 63 bits"
    if isinstance(value, (int, float)):
        return f"number {value}"
    return "an object" if isinstance(value, Mapping) else "a list"
