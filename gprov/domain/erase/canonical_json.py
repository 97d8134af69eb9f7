"""The one form in which erase reports and certificates are written, and the strict reading of that form.

Form: UTF-8 without byte order mark, keys sorted, two blanks for each level, one line feed at the end. A document that
is read must be what would be written from it, byte for byte: so there are no unknown or missing keys, no doubled ones,
and no second spelling of a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from gprov.domain.errors import Problem
from gprov.domain.factory import messages
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import read_object
from gprov.domain.formats.json.value import Json, is_list, kind_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

M = TypeVar("M", bound="DataclassInstance")


def canonical_bytes(message: DataclassInstance) -> bytes:
    return document_bytes(messages.write(message))


def document_bytes(document: Mapping[str, Json]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8", "replace")


def read_canonical(what: str, message: type[M], data: bytes) -> tuple[JsonObject, M]:
    """The object, in which all problems are noted, and the message, which is of use only if there are none. Raises
    BadInput if ``data`` is not a JSON object at all."""
    root = read_object(what, data)
    found = messages.read(message, root)
    if root.problems:
        return root, found
    expected = messages.write(found)
    root.problems += _differences(json.loads(data), expected, "$")
    if not root.problems and data != document_bytes(expected):
        root.problem(
            "", "is not written as documented: UTF-8, sorted keys, two blanks a level, one line feed at the end"
        )
    return root, found


def _differences(given: Json, expected: Json, path: str) -> Iterator[Problem]:
    if isinstance(given, Mapping) and isinstance(expected, Mapping):
        yield from (Problem(path, f"has the unknown key {key[:40]!r}") for key in given if key not in expected)
        yield from (Problem(f"{path}.{key}", "is missing") for key in expected if key not in given)
        for key in given.keys() & expected.keys():
            yield from _differences(given[key], expected[key], f"{path}.{key}")
    elif is_list(given) and is_list(expected):
        for index, (one, other) in enumerate(zip(_items(given), _items(expected), strict=False)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif given != expected:
        yield Problem(path, f"must be {kind_of(expected)}, is {kind_of(given)}")


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
