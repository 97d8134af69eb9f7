"""Schemas of what ``gprov … --json`` prints, from the table in docs/reference/cli.md.

The table has the keys of each document in a short notation. What kind of value a key has is said here, once for all
documents: a key that is new in the table has to be added.
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
_FLAGS = """
accepted blocked by_fallback complete made needed passed sealed same signed starts valid
""".split()
_NUMBERS = """
days_left init_uptime handover_uptime hours last_seen seconds bits uptime
""".split()
_WHOLE = """
bytes cuts content_bytes disk_sets entries examined files floor formatted_bytes handle hours initramfs_size
initramfs_unpacked inodes allocated last length made_ns member members missed most_starts number operations passwords
rows scrubbed security_version seen_ns sequence size smallest_disk started states steps survived time_ns unpacked
version_number Size
""".split()


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
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}


class _Reader:
    """Reads the notation: ``{key, key?, key: VALUE}``, ``[VALUE]``, ``[…]``; ``{name: text}`` maps any name."""

    def __init__(self, notation: str, macros: dict[str, str]) -> None:
        self._tokens = _TOKEN.findall(notation)
        self._macros = macros

    def value(self) -> Schema:
        token = self._tokens.pop(0)
        if token == "[…]":
            return {"type": "array"}
        if token == "…":
            return {}
        if token == "[":
            inner = self.value()
            assert self._tokens.pop(0) == "]"
            return {"type": "array", "items": inner}
        if token == "{":
            return self._object()
        return _Reader(self._macros[token], self._macros).value() if token in self._macros else _kind(token)

    def _object(self) -> Schema:
        properties: dict[str, Json] = {}
        while True:
            key = self._tokens.pop(0)
            if key in self._macros:
                expanded = _Reader(self._macros[key], self._macros).value()["properties"]
                assert isinstance(expanded, dict)
                properties |= expanded
            elif self._tokens[0] == ":":
                self._tokens.pop(0)
                if self._tokens[0].isidentifier() and self._tokens[0] not in self._macros:
                    word = self._tokens.pop(0)
                    assert self._tokens.pop(0) == "}"
                    return {"type": "object", "additionalProperties": _kind(word)}
                properties[key.rstrip("?")] = self.value()
            else:
                properties[key.rstrip("?")] = _nullable(_kind(key.rstrip("?"))) if key.endswith("?") else _kind(key)
            if self._tokens.pop(0) == "}":
                break
        return {"type": "object", "properties": properties, "required": list(properties)}


def _nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    return {**schema, "type": [kind, "null"]} if isinstance(kind, str) else schema


def _kind(key: str) -> Schema:
    """Of a value that is neither a list nor an object."""
    if key in _FLAGS:
        return {"type": "boolean"}
    if key in _NUMBERS:
        return {"type": "number"}
    if key in _WHOLE:
        return {"type": "integer"}
    return {"type": "string"}
