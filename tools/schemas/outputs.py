"""Schemas of what ``gprov … --json`` prints, from the table in docs/reference/cli.md.

The table has the keys of each document in a short notation. A value that is neither a list nor an object is text, a
number or a truth value, unless it is said here what it is in all documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gprov.domain.factory.fields import Schema
from gprov.domain.formats.json.value import Json
from tools.schemas.parts import document

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"
_ROW = re.compile(r"^\| (?P<actions>`[a-z].*?) \| (?P<cell>.*) \|$", re.MULTILINE)
_MACRO = re.compile(r"^`(?P<name>[A-Z]+)` is `(?P<keys>[^`]+)`", re.MULTILINE)
_TOKEN = re.compile(r"\s*(?P<token>\[…\]|…|[][{},]|:|[\w./]+\??)")
_FLAGS = [
    "accepted",
    "blocked",
    "by_fallback",
    "complete",
    "made",
    "needed",
    "passed",
    "same",
    "signed",
    "starts",
    "valid",
]
_WHOLE = ["allocated", "bytes", "content_bytes", "entries", "inodes", "made_ns", "security_version", "seen_ns", "size"]
_WHOLE += ["sequence", "time_ns", "unpacked", "Size"]


@dataclass(frozen=True, slots=True)
class Output:
    """``actions``: words of each, such as "image name"."""

    actions: tuple[str, ...]
    schema: Schema


def outputs() -> Iterator[Output]:
    """One for each row of the table that has a document of its own."""
    text = PAGE.read_text()
    text = text[text.index("\n## JSON\n") :]
    macros = {match["name"]: f"{{{match['keys'].strip('{}')}}}" for match in _MACRO.finditer(text)}
    for row in _ROW.finditer(text):
        actions = tuple(re.findall(r"`([^`]+)`", row["actions"]))
        notations = [code for code in re.findall(r"`([^`]+)`", row["cell"]) if code[0] in "[{"]
        if notations and actions[0] != "action":
            yield Output(actions, _alternatives([_Reader(code, macros).value() for code in notations]))


def output_schema() -> Schema:
    """One schema for each row, below its first action with dashes for blanks."""
    definitions = {output.actions[0].replace(" ", "-"): output.schema for output in outputs()}
    return document(
        "Output of gprov --json",
        "One definition for each action that prints a document; further keys may be added. docs/reference/cli.md",
        {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions]},
        definitions=definitions,
    )


def _alternatives(schemas: list[Schema]) -> Schema:
    """Of a list, the others are further kinds of member."""
    first, *others = schemas
    if not others:
        return first
    if first.get("type") == "array":
        return {**first, "items": {"anyOf": [first["items"], *others]}}
    return {"anyOf": [*schemas]}


class _Reader:
    """Reads the notation: ``{key, key?, key: VALUE}``, ``[VALUE]``, ``[…]``; ``{name: text}`` maps any name."""

    def __init__(self, notation: str, macros: dict[str, str]) -> None:
        self._tokens = _TOKEN.findall(notation)
        self._macros = macros

    def value(self) -> Schema:
        match self._tokens.pop(0):
            case "[…]":
                return {"type": "array"}
            case "…":
                return {}
            case "[":
                inner = self.value()
                self._expect("]")
                return {"type": "array", "items": inner}
            case "{":
                return self._object()
            case name:
                return _Reader(self._macros[name], self._macros).value() if name in self._macros else _kind(name)

    def _expect(self, mark: str) -> None:
        found = self._tokens.pop(0)
        if found != mark:
            raise ValueError(f"{PAGE}: {found} in place of {mark}")

    def _object(self) -> Schema:
        properties: dict[str, Json] = {}
        while True:
            key = self._tokens.pop(0)
            if key in self._macros:
                expanded = _Reader(self._macros[key], self._macros).value()["properties"]
                properties |= expanded if isinstance(expanded, dict) else {}
            elif self._tokens[0] == ":":
                self._tokens.pop(0)
                if self._tokens[0].isidentifier() and self._tokens[0] not in self._macros:
                    word = self._tokens.pop(0)
                    self._expect("}")
                    return {"type": "object", "additionalProperties": _kind(word)}
                properties[key.rstrip("?")] = self.value()
            else:
                properties[key.rstrip("?")] = _nullable(_kind(key.rstrip("?"))) if key.endswith("?") else _kind(key)
            if self._tokens.pop(0) == "}":
                break
        return {"type": "object", "properties": properties, "required": list(properties)}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _kind(key: str) -> Schema:
    """Of a value that is neither a list nor an object."""
    if key in _FLAGS:
        return {"type": "boolean"}
    return {"type": "integer"} if key in _WHOLE else {"type": ["string", "number", "boolean"]}
