"""Parts of JSON schemas (draft 2020-12) for what is read by ``gprov.domain.formats.json.object``.

That reader takes null for a missing key, compares keys and words without regard to case, ignores keys that it does not
know, and takes keys that begin with ``_`` for comments. A schema has the spelling of the documentation, null included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gprov.domain.factory.fields import Schema
from gprov.domain.formats.json.value import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What the reader takes: whole numbers of 63 bits.
LARGEST = 2**63 - 1
# Not before a line feed at the end, where Python's ``$`` matches too.
END = "$(?!\\n)"
# A text that is not blank.
NOT_BLANK = "\\S"


@dataclass(frozen=True, slots=True)
class Key:
    """One member of an object, with what it means."""

    name: str
    value: Schema
    means: str
    required: bool = False


def need(name: str, value: Schema, means: str) -> Key:
    return Key(name, value, means, required=True)


def may(name: str, value: Schema, means: str) -> Key:
    return Key(name, value, means)


def record(keys: Iterable[Key], *, closed: bool = False, **more: Json) -> Schema:
    """An object. ``closed``: other keys are refused, unless they begin with ``_``; ``more``: further keywords."""
    members = tuple(keys)
    properties: dict[str, Json] = {
        key.name: {"description": key.means, **(key.value if key.required else or_null(key.value))} for key in members
    }
    required: list[Json] = [key.name for key in members if key.required]
    shut: Schema = {"patternProperties": {"^_": {}}, "additionalProperties": False} if closed else {}
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **shut, **more}


def or_null(value: Schema) -> Schema:
    """A value of a key that may be missing."""
    kind = value.get("type")
    if kind == "null":
        return value
    if not isinstance(kind, str):
        return {"anyOf": [value, {"type": "null"}]}
    words = value.get("enum")
    named: Schema = {"enum": [*words, None]} if isinstance(words, list) else {}
    return {**value, "type": [kind, "null"], **named}


def text(pattern: str = "", **more: Json) -> Schema:
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


def filled(**more: Json) -> Schema:
    """A text that must not be blank."""
    return text(NOT_BLANK, **more)


def whole(least: int = -LARGEST, most: int = LARGEST) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def flag() -> Schema:
    return {"type": "boolean"}


def word(words: Iterable[str], **more: Json) -> Schema:
    return {"type": "string", "enum": list(words), **more}


def items(value: Schema, **more: Json) -> Schema:
    return {"type": "array", "items": value, **more}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def has(name: str, value: Schema | None = None) -> Schema:
    """A condition: the key is there, and not null. ``value``: what its value is."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}} if value is None else value}}


def any_of(*conditions: Schema) -> Schema:
    return {"anyOf": list(conditions)}


def when(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def hex_digits(count: int, *, upper: bool = True, optional: bool = True) -> str:
    """A pattern for so many hexadecimal digits."""
    digits = f"[0-9A-Fa-f]{{{count}}}" if upper else f"[0-9a-f]{{{count}}}"
    return f"^({digits}){'?' if optional else ''}{END}"


def decimals_up_to(most: int) -> str:
    """A pattern for the numbers from 0 to ``most``, without leading zeros."""
    digits = str(most)
    shorter = [f"[1-9][0-9]{{0,{len(digits) - 2}}}"] if len(digits) > 1 else []
    same = [
        f"{digits[:index]}[{'1' if index == 0 else '0'}-{int(digit) - 1}][0-9]{{{len(digits) - index - 1}}}"
        for index, digit in enumerate(digits)
        if int(digit) > (1 if index == 0 else 0)
    ]
    return "|".join(["0", *shorter, *same, digits])


def document(title: str, means: str, content: Schema, *, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """A whole schema."""
    parts: Schema = {"$defs": dict(definitions)} if definitions else {}
    return {"$schema": DIALECT, "title": title, "description": means, **content, **parts}
