"""What a schema is of: the document, the page that describes it, and what a schema cannot say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.factory.fields import Schema


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a reader demands and no schema can express. ``text``: for people; ``problem``: a regular
    expression of ``place: message`` of the problems that are due to it."""

    text: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """``name``: of the schema's file, without the suffix. ``written``: by whom, for the overview. ``page``: relative to
    docs. ``parse``: reads a document; raises BadInput."""

    name: str
    what: str
    written: str
    page: str
    schema: Schema
    parse: Callable[[bytes], object]
    beyond: tuple[Rule, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}.schema.json"
