"""Messages of the factory's API: dataclasses whose annotations are the format.

The name of a field is the key. Its annotation gives the kind of value: a plain type, or ``Annotated`` with a kind of
``gprov.domain.factory.fields``, ``AtMost`` for a list, ``INLINE``, and a ``Doc`` as its description. A field with a
default may be missing; a None in it is left out. From that the functions here read a message with all its problems,
write it, and make the JSON schema that the server publishes.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from typing_extensions import Doc, override

from gprov.domain.errors import InternalError
from gprov.domain.factory.fields import AnyObject, Count, Flag, Kind, OrNull, Password, Schema, Text, Word
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Secret

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

M = TypeVar("M", bound="DataclassInstance")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AtMost:
    """Of a list: how many values it may have. ``unique``: a member that no two of them have in common."""

    count: int
    unique: str = ""


@dataclass(frozen=True, slots=True)
class Inline:
    """Of a field that is a dataclass: its members stand among those of the message."""


INLINE = Inline()


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    kind: Kind[Any]
    required: bool
    description: str


def decode(what: str, message: type[M], data: bytes) -> M:
    """The message that ``data`` is. Raises BadInput, which begins with ``what``, with every problem."""
    root = read_object(what, data)
    return finish(what, root, read(message, root))


def encode(message: DataclassInstance) -> bytes:
    return to_bytes(write(message))


def to_bytes(document: Mapping[str, Json]) -> bytes:
    """A JSON document as it goes over the wire."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read(message: type[M], obj: JsonObject) -> M:
    """If problems are noted in ``obj``, the message is of no use."""
    return message(
        **{
            member.name: member.kind.read(obj, member.name, member.required)
            for member in members(message)
            if member.required or isinstance(member.kind, Embedded) or obj.has(member.name)
        }
    )


def write(message: DataclassInstance) -> dict[str, Json]:
    written: dict[str, Json] = {}
    for member in members(type(message)):
        value = getattr(message, member.name)
        if isinstance(member.kind, Embedded):
            written.update(write(value))
        elif value is not None or member.required:
            written[member.name] = member.kind.write(value)
    return written


def schema(message: type[DataclassInstance]) -> Schema:
    """JSON schema of a message, complete in itself."""
    return object_schema(message.__name__, message)


def object_schema(title: str, *parts: type[DataclassInstance], constants: Mapping[str, str] | None = None) -> Schema:
    """Schema of an object with the members of all ``parts``, and with ``constants``: texts that are always the same."""
    shown = [member for part in parts for member in _shown(part)]
    fixed: Schema = {name: {"type": "string", "const": text} for name, text in (constants or {}).items()}
    return {
        "title": title,
        "type": "object",
        "properties": {**fixed, **{member.name: _described(member) for member in shown}},
        "required": [*fixed, *(member.name for member in shown if member.required)],
    }


def _shown(message: type[DataclassInstance]) -> Iterator[Member]:
    """Members as they stand in the JSON object."""
    for member in members(message):
        if isinstance(member.kind, Embedded):
            yield from _shown(member.kind.message)
        else:
            yield member


def _described(member: Member) -> Schema:
    described: Schema = {"description": member.description} if member.description else {}
    return {**member.kind.schema(), **described}


def members(message: type[DataclassInstance]) -> tuple[Member, ...]:
    return _members(message)


@functools.cache
def _members(message: type[DataclassInstance]) -> tuple[Member, ...]:
    hints = get_type_hints(message, include_extras=True)
    return tuple(_member(field, hints[field.name]) for field in dataclasses.fields(message))


class ObjectKind(Kind[T]):
    """A value that is a JSON object."""

    def parse(self, obj: JsonObject) -> T:
        raise NotImplementedError

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> T:
        inner = obj.object(key, required=required)
        # Of one that is missing or no object, that is the only problem.
        return self.parse(inner or JsonObject({}, f"{obj.path}.{key}", []))


@dataclass(frozen=True)
class Record(ObjectKind[M]):
    """A message inside another."""

    message: type[M]

    @override
    def parse(self, obj: JsonObject) -> M:
        return read(self.message, obj)

    @override
    def write(self, value: M) -> Json:
        return write(value)

    @override
    def schema(self) -> Schema:
        return schema(self.message)


@dataclass(frozen=True)
class Embedded(Record[M]):
    """A message whose members stand among those of another."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> M:
        return read(self.message, obj)


@dataclass(frozen=True)
class Items(Kind[tuple[Any, ...]]):
    """A list of texts or of objects."""

    kind: Text | ObjectKind[Any]
    limit: AtMost | None = None

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> tuple[Any, ...]:
        most = self._most(obj, key)
        if isinstance(self.kind, Text):
            texts = obj.texts(key, required=required, most=most)
            return tuple(self.kind.check(obj, f"{key}[{index}]", text) for index, text in enumerate(texts))
        objects = obj.objects(key, required=required, most=most)
        values = tuple(self.kind.parse(inner) for inner in objects)
        self._compare(values, objects)
        return values

    def _most(self, obj: JsonObject, key: str) -> int | None:
        """How many are read: of a list that is too long, no more than are allowed."""
        if self.limit is None:
            return None
        count = obj.count(key)
        if count > self.limit.count:
            obj.problem(key, f"must be at most {self.limit.count}, are {count}")
        return self.limit.count

    def _compare(self, values: tuple[Any, ...], objects: tuple[JsonObject, ...]) -> None:
        if self.limit is None or not self.limit.unique:
            return
        seen: set[object] = set()
        for value, inner in zip(values, objects, strict=True):
            name = getattr(value, self.limit.unique)
            if name and name in seen:
                inner.problem(self.limit.unique, f"{name!r} stands twice")
            seen.add(name)

    @override
    def write(self, value: tuple[Any, ...]) -> Json:
        return [self.kind.write(each) for each in value]

    @override
    def schema(self) -> Schema:
        limit: Schema = {} if self.limit is None else {"maxItems": self.limit.count}
        return {"type": "array", "items": self.kind.schema(), **limit}


def _member(field: dataclasses.Field[Any], annotation: object) -> Member:
    notes = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    description = next((note.documentation for note in notes if isinstance(note, Doc)), "")
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return Member(field.name, _kind(annotation), required, description)


def _kind(annotation: Any) -> Kind[Any]:
    """The kind of value that an annotation stands for. Raises InternalError if there is none."""
    base, *notes = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    given = next((note for note in notes if isinstance(note, Kind)), None)
    if given is not None:
        return given
    if get_origin(base) is tuple:
        each = _kind(get_args(base)[0])
        if isinstance(each, (Text, ObjectKind)):
            return Items(each, next((note for note in notes if isinstance(note, AtMost)), None))
    if isinstance(base, UnionType) and get_args(base)[1:] == (type(None),):
        return OrNull(_kind(get_args(base)[0]))
    if get_origin(base) is Mapping or base is Mapping:
        return AnyObject()
    if dataclasses.is_dataclass(base) and isinstance(base, type):
        return Embedded(base) if INLINE in notes else Record(base)
    if isinstance(base, type) and issubclass(base, Enum):
        return Word(base)
    plain: Mapping[object, Kind[Any]] = {str: Text(), int: Count(), bool: Flag(), Secret: Password()}
    if base not in plain:
        raise InternalError(f"a message cannot hold {base}")
    return plain[base]
