"""The keys that a parser of JSON asks for, read from its source; the keys that a document has."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from gprov.domain.formats.json.value import Json

_READERS = frozenset(
    ["text", "integer", "boolean", "one_of", "object", "objects", "texts", "integers", "lists_of_objects", "string_map"]
)
_KEY = re.compile(r"[A-Z]\w+")

# A place in a document: names of members and indexes of lists.
Place = tuple[str | int, ...]


def keys_of(*parsers: ModuleType) -> set[str]:
    """Literal keys that functions of these modules ask JSON objects for, themselves or through their helpers, and those
    that they name first."""
    found: set[str] = set()
    for parser in parsers:
        for node in ast.walk(ast.parse(inspect.getsource(parser))):
            if isinstance(node, ast.Call) and _called(node).startswith(("_", "read_", *_READERS)):
                found.update(*map(_keys, node.args))
            elif isinstance(node, ast.Assign) and any(_is_named_key(target) for target in node.targets):
                found.update(*map(_keys, ast.walk(node.value)))
    return found


def places(document: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Each member of each object at any depth: its place and value. Lists count with their first member alone."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield (*place, key), value
            yield from places(value, (*place, key))
    elif isinstance(document, list) and document:
        yield from places(document[0], (*place, 0))


def path_text(place: Place) -> str:
    """``ValidationData[0].Recovery.Size``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _keys(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.fullmatch(node.value):
        return {node.value}
    return set()


def _is_named_key(target: ast.expr) -> bool:
    return "key" in [name.id for name in ast.walk(target) if isinstance(name, ast.Name)]
