"""One object of a JSON document: typed access that collects every problem with its path.

Keys match exactly, else without regard to case (files in the field were written for a reader that does so).
Unknown keys are ignored (``gprov.domain.formats.json.unknown`` lists them); keys that begin with ``_`` are comments.
A getter that finds a wrong type notes a problem
and returns its default, so that reading goes on and finds the rest instead of stopping at the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from gprov.domain.errors import Problem
from gprov.domain.formats.json.value import Json, as_integer, as_text, has_lone_surrogate, is_list, kind_of

T = TypeVar("T")
# Of one document, and of one list.
MOST_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """An object of a document that was read as a ``JsonObject``. ``asked``: keys that a getter was called with."""

    path: str
    value: Mapping[str, Json]
    asked: set[str] = field(default_factory=set)


class JsonObject:
    """One JSON object at ``path`` ("$.Files[2]"). The whole document shares the list of problems, and ``opened``: its
    objects that were read, by identity of the value."""

    def __init__(
        self,
        value: Mapping[str, Json],
        path: str,
        problems: list[Problem],
        opened: dict[int, Opened] | None = None,
    ) -> None:
        self._value = value
        self.path = path
        self.problems = problems
        self.opened = {} if opened is None else opened
        self._asked = self.opened.setdefault(id(value), Opened(path, value)).asked
        self._spellings: dict[str, list[str]] | None = None
        self._noted: set[str] = set()

    def problem(self, key: str, message: str) -> None:
        """Add a problem with a key (or, with "", with the object itself)."""
        self.problems.append(Problem(f"{self.path}.{key}" if key else self.path, message))

    def has(self, key: str) -> bool:
        return self._find(key) is not None

    def keys(self) -> tuple[str, ...]:
        """Keys that are not comments."""
        return tuple(key for key in self._value if not key.startswith("_"))

    def all_keys(self) -> tuple[str, ...]:
        """Of formats with another sign of comments."""
        return tuple(self._value)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        value = self._get(key, required)
        if value is None:
            return default
        if not isinstance(value, str):
            self._wrong(key, "text", value)
            return default
        if has_lone_surrogate(value):
            self.problem(key, "holds half of a surrogate pair")
            return default
        if required and not value.strip():
            self.problem(key, "must not be empty")
        return value

    def text_or_number(self, key: str, *, required: bool = False) -> str:
        """Text, or a whole number as text: for ids, which some programs write without quotes."""
        number = as_integer(self._find(key))
        return self.text(key, required=required) if number is None else str(number)

    def integer(
        self,
        key: str,
        default: int = 0,
        *,
        required: bool = False,
        minimum: int | None = None,
        maximum: int | None = None,
    ) -> int:
        value = self._get(key, required)
        if value is None:
            return default
        number = as_integer(value)
        if number is None:
            self._wrong(key, "a whole number", value)
            return default
        if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            self.problem(key, f"must be {_bounds(minimum, maximum)}, is {number}")
            return default
        return number

    def number(self, key: str, *, required: bool = False, minimum: float, maximum: float) -> float:
        """A number, whole or not; ``minimum`` if it is missing or wrong."""
        value = self._get(key, required)
        if value is None:
            return minimum
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(key, "a number", value)
            return minimum
        if not minimum <= value <= maximum:
            self.problem(key, f"must be {minimum:g}..{maximum:g}, is {kind_of(value)}")
            return minimum
        return float(value)

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
            return JsonObject(value, f"{self.path}.{key}", self.problems, self.opened)
        self._wrong(key, "an object", value)
        return None

    def count(self, key: str) -> int:
        """Length of a list; 0 if there is none."""
        value = self._find(key)
        return len(value) if isinstance(value, list) else 0

    def objects(self, key: str, *, required: bool = False, most: int | None = None) -> tuple[JsonObject, ...]:
        """``most``: how many members are read; None for all."""
        return self._list(key, required, "an object", self._as_object, most)

    def texts(self, key: str, *, required: bool = False, most: int | None = None) -> tuple[str, ...]:
        """``most``: how many members are read; None for all."""
        return self._list(key, required, "whole text", lambda value, _: as_text(value), most)

    def integers(self, key: str, *, required: bool = False) -> tuple[int, ...]:
        return self._list(key, required, "a whole number", lambda value, _: as_integer(value))

    def lists_of_objects(self, key: str, *, required: bool = False) -> tuple[tuple[JsonObject, ...], ...]:
        """A list of lists of objects."""

        def inner(value: Json, path: str) -> tuple[JsonObject, ...] | None:
            if not is_list(value):
                return None
            return _collect(value, path, self.problems, "an object", self._as_object)

        return self._list(key, required, "a list of objects", inner)

    def string_map(self, key: str) -> dict[str, str]:
        """An object whose values are all text; comments left out."""
        inner = self.object(key)
        if inner is None:
            return {}
        names = inner.keys()
        if any(has_lone_surrogate(name) for name in names):
            self.problem(key, "has a key with half of a surrogate pair")
        return {name: inner.text(name) for name in names if not has_lone_surrogate(name)}

    def _as_object(self, value: Json, path: str) -> JsonObject | None:
        return JsonObject(value, path, self.problems, self.opened) if isinstance(value, Mapping) else None

    def _list(
        self, key: str, required: bool, what: str, read: Callable[[Json, str], T | None], most: int | None = None
    ) -> tuple[T, ...]:
        value = self._get(key, required)
        if value is None:
            return ()
        if not is_list(value):
            self._wrong(key, "a list", value)
            return ()
        kept = value if most is None or not isinstance(value, list) else value[:most]
        return _collect(kept, f"{self.path}.{key}", self.problems, what, read)

    def _names(self, key: str) -> list[str]:
        """How the key is spelled here, the exact one first."""
        self._asked.add(key)
        if self._spellings is None:
            self._spellings = {}
            for name in self._value:
                self._spellings.setdefault(name.lower(), []).append(name)
        return sorted(self._spellings.get(key.lower(), ()), key=lambda name: name != key)

    def _find(self, key: str) -> Json:
        names = self._names(key)
        return self._value[names[0]] if names else None

    def _get(self, key: str, required: bool) -> Json:
        names = self._names(key)
        if len(names) > 1:
            self._note_spellings(key, names)
        value = self._find(key)
        if value is None and required:
            self.problem(key, "is missing")
        return value

    def _note_spellings(self, key: str, names: list[str]) -> None:
        if key not in self._noted:
            self._noted.add(key)
            self.problem(key, f"stands here as {' and '.join(map(repr, names[:3]))}")

    def _wrong(self, key: str, expected: str, value: Json) -> None:
        self.problem(key, f"must be {expected}, is {kind_of(value)}")


def _collect(
    value: Json, path: str, problems: list[Problem], what: str, read: Callable[[Json, str], T | None]
) -> tuple[T, ...]:
    found: list[T] = []
    most = len(problems) + MOST_PROBLEMS
    if isinstance(value, list):
        for index, item in enumerate(value):
            if len(problems) >= most:
                break
            place = f"{path}[{index}]"
            one = read(item, place)
            if one is None:
                problems.append(Problem(place, f"must be {what}, is {kind_of(item)}"))
            else:
                found.append(one)
    return tuple(found)


def _bounds(minimum: int | None, maximum: int | None) -> str:
    if maximum is None:
        return f"at least {minimum}"
    return f"at most {maximum}" if minimum is None else f"{minimum}..{maximum}"
