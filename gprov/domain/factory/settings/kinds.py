"""Kinds of value that keys of ``server.toml`` have, and what all of its sections have in common.

A section is a frozen dataclass of ``Section``. Its fields are the keys of the table, with their defaults; an
``Annotated`` gives the kind of value (of here, or of ``gprov.domain.factory.fields``) and a ``Doc`` that
docs/reference/server-settings.md repeats. A plain ``bool``, an enumeration and a tuple of texts need no kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from typing_extensions import override

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.fields import Kind, Schema, Text
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json


@dataclass(frozen=True)
class Section:
    """One table of ``server.toml``."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Key and message of each problem that concerns more than one value. Only asked if each value is valid."""
        return iter(())


@dataclass(frozen=True)
class Whole(Kind[int]):
    """A whole number within limits, which are allowed."""

    least: int
    most: int

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> int:
        return obj.integer(key, self.least, required=required, minimum=self.least, maximum=self.most)

    def check(self, number: int) -> str:
        """What is wrong with it; "" if nothing."""
        return "" if self.least <= number <= self.most else f"must be {self.least}..{self.most}, is {number}"

    @override
    def write(self, value: int) -> Json:
        return value

    @override
    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Number(Kind[float]):
    """A number, whole or not, within limits, which are allowed."""

    least: float
    most: float

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> float:
        return obj.number(key, required=required, minimum=self.least, maximum=self.most)

    def check(self, number: float) -> str:
        """What is wrong with it; "" if nothing."""
        if self.least <= number <= self.most:
            return ""
        return f"must be {self.least:g}..{self.most:g}, is {number:g}"

    @override
    def write(self, value: float) -> Json:
        return value

    @override
    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Checked(Text):
    """Text of one line. ``fit`` returns it in the form that is used, or raises BadInput. ``empty``: "" is allowed, and
    is not given to ``fit``."""

    most: int | None = 2000
    fit: Callable[[str], str] = str
    empty: bool = False

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> str:
        noted = len(obj.problems)
        text = obj.text(key, required=required)
        return text if len(obj.problems) > noted else self.check(obj, key, text)

    @override
    def check(self, obj: JsonObject, key: str, text: str) -> str:
        try:
            return self.fitted(text)
        except BadInput as error:
            for problem in error.problems:
                obj.problem(key, problem.message)
            return text

    @override
    def schema(self) -> Schema:
        """Without what ``fit`` asks for."""
        return super().schema() if self.empty else {**super().schema(), "pattern": "\\S"}

    def fitted(self, text: str) -> str:
        """Raises BadInput with every problem."""
        if not text.strip():
            if self.empty:
                return ""
            raise refusal("must not be empty")
        if not text.isprintable():
            raise refusal("must be one line without control characters")
        if self.most is not None and len(text) > self.most:
            raise refusal(f"must have at most {self.most} characters, has {len(text)}")
        return self.fit(text.strip())


def refusal(message: str) -> BadInput:
    """For the function of a ``Checked``: the text that it was given is not valid."""
    return BadInput("value", [Problem("", message)])
