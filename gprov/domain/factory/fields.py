"""Kinds of member that messages have.

A kind is all there is to say about a value on the wire: how it is read, with its problems; how it is written; and its
JSON schema (draft 2020-12). ``gprov.domain.factory.messages`` finds the kind of each member by its annotation.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from typing_extensions import override

from gprov.domain.errors import InternalError
from gprov.domain.factory import syntax
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Secret

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Schema = dict[str, Json]


class Kind(ABC, Generic[T]):
    @abstractmethod
    def read(self, obj: JsonObject, key: str, required: bool) -> T:
        """The value of a member. If a problem is noted in ``obj``, the value is of the right type and of no use."""

    @abstractmethod
    def write(self, value: T) -> Json: ...

    @abstractmethod
    def schema(self) -> Schema: ...


@dataclass(frozen=True)
class Text(Kind[str]):
    """Text of at most ``most`` characters that matches ``pattern`` as a whole; ``rule`` is the problem if it does not.
    A required text is not empty."""

    most: int | None = None
    pattern: str = ""
    rule: str = ""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> str:
        text = obj.text(key, required=required)
        return self.check(obj, key, text) if text.strip() else ""

    def check(self, obj: JsonObject, key: str, text: str) -> str:
        """The text in the one form that is stored."""
        if self.most is not None and len(text) > self.most:
            obj.problem(key, f"must have at most {self.most} characters, has {len(text)}")
        elif self.pattern and not re.fullmatch(self.pattern, text):
            obj.problem(key, self.rule)
        return text

    @override
    def write(self, value: str) -> Json:
        return value

    @override
    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self.most is not None:
            schema["maxLength"] = self.most
        if self.pattern:
            # Without the lookahead, validators in Python accept a line feed at the end.
            schema["pattern"] = f"^{self.pattern}$(?!\\n)"
        return schema


@dataclass(frozen=True)
class WholeText(Text):
    """A document: any characters but control characters, several lines and emptiness included."""

    most: int = syntax.MAX_DOCUMENT
    pattern: str = syntax.CLEAN

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> str:
        if required and not obj.has(key):
            obj.problem(key, "is missing")
            return ""
        return self.check(obj, key, obj.text(key))

    @override
    def check(self, obj: JsonObject, key: str, text: str) -> str:
        found = syntax.UNCLEAN.search(text)
        if len(text) > self.most:
            obj.problem(key, f"must have at most {self.most} characters, has {len(text)}")
        elif found:
            obj.problem(key, f"holds the unprintable character U+{ord(found.group()):04X}")
        return text


@dataclass(frozen=True)
class LogText(WholeText):
    """Text of a log: writing makes it fit."""

    @override
    def write(self, value: str) -> Json:
        return syntax.clean(value, self.most)


@dataclass(frozen=True)
class MacText(Text):
    """A MAC address in any spelling; read as lower case with colons."""

    pattern: str = syntax.MAC

    @override
    def check(self, obj: JsonObject, key: str, text: str) -> str:
        found = syntax.mac(text)
        if found is None:
            obj.problem(key, f"{text[:40]!r} is not a MAC address")
        return found or ""


_PRINTABLE = "must be printable ASCII without blanks at its ends"
NAME = Text(syntax.MAX_NAME, syntax.PRINTABLE, _PRINTABLE)
# Real serial numbers have slashes, dots and blanks inside.
SERIAL = Text(syntax.MAX_SERIAL, syntax.PRINTABLE, _PRINTABLE)
SESSION = Text(None, syntax.SESSION, "must be 32 hex digits in lower case")
DIGEST = Text(None, syntax.DIGEST, "must be 64 hex digits in lower case")
MAC = MacText()


class Password(Kind[Secret]):
    """A password that a person can type and a program can be given. The one place where passwords become text."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> Secret:
        text = obj.text(key, required=required)
        if len(text) > syntax.MAX_PASSWORD or not text.isprintable():
            obj.problem(key, f"must have at most {syntax.MAX_PASSWORD} printable characters")
        return Secret(text)

    @override
    def write(self, value: Secret) -> Json:
        return value.reveal()

    @override
    def schema(self) -> Schema:
        return {"type": "string", "format": "password", "minLength": 1, "maxLength": syntax.MAX_PASSWORD}


class Count(Kind[int]):
    """A whole number from 0 that an SQL integer holds. Writing makes it fit."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> int:
        return obj.integer(key, required=required, minimum=0, maximum=syntax.MAX_NUMBER)

    @override
    def write(self, value: int) -> Json:
        return min(max(value, 0), syntax.MAX_NUMBER)

    @override
    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 0, "maximum": syntax.MAX_NUMBER}


class Flag(Kind[bool]):
    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> bool:
        if required and not obj.has(key):
            obj.problem(key, "is missing")
        return obj.boolean(key)

    @override
    def write(self, value: bool) -> Json:
        return value

    @override
    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Word(Kind[E]):
    """A member of an enumeration, by its value."""

    words: type[E]

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> E:
        members = {str(member.value): member for member in self.words}
        return obj.one_of(key, members, next(iter(self.words)), required=required)

    @override
    def write(self, value: E) -> Json:
        return str(value.value)

    @override
    def schema(self) -> Schema:
        return {"type": "string", "enum": [str(member.value) for member in self.words]}


@dataclass(frozen=True)
class OrNull(Kind[T | None]):
    kind: Kind[T]

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> T | None:
        before = len(obj.problems)
        value = self.kind.read(obj, key, False) if obj.has(key) else None
        return value if len(obj.problems) == before else None

    @override
    def write(self, value: T | None) -> Json:
        return None if value is None else self.kind.write(value)

    @override
    def schema(self) -> Schema:
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


class AnyObject(Kind[Mapping[str, Json]]):
    """A JSON object that is written as it is, and not read."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> Mapping[str, Json]:
        raise InternalError(f"{obj.path}.{key} is only written")

    @override
    def write(self, value: Mapping[str, Json]) -> Json:
        return value

    @override
    def schema(self) -> Schema:
        return {"type": "object"}
