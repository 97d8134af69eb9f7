"""Reads the runbook: chapters with entries, from the files in ``data``, and where each text is shown, from
``texts.json``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.toml import read_table

_DATA = "data"
_TEXTS = "texts.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """``texts``: templates, with ``{name}`` where a value is put in, that mean the same. ``means``: what happened;
    ``unit``: what the unit does next by itself; ``person``: what a person does, "" if nothing."""

    texts: tuple[str, ...]
    means: str
    unit: str
    person: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """``name``: of its page; ``about``: what its texts have in common."""

    name: str
    title: str
    about: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a text is shown (``Kind`` of tools/shown_texts), and by which programs of a unit."""

    kinds: tuple[str, ...]
    programs: tuple[str, ...]


def parse_chapter(name: str, data: bytes) -> Chapter:
    """Raises BadInput with every problem."""
    source = f"{name}.toml"
    root = read_table(source, data)
    chapter = Chapter(
        name=name,
        title=root.text("title", required=True),
        about=root.text("about"),
        entries=tuple(_entry(one) for one in root.objects("entry", required=True)),
    )
    _note_unknown(root, ("title", "about", "entry"))
    return finish(source, root, chapter)


def parse_texts(data: bytes) -> dict[str, Shown]:
    """Raises BadInput with every problem."""
    root = read_object(_TEXTS, data)
    shown = {
        one.text("text", required=True): Shown(one.texts("kinds", required=True), one.texts("programs", required=True))
        for one in root.objects("texts", required=True)
    }
    return finish(_TEXTS, root, shown)


@cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters of the package, by name."""
    folder = resources.files(__package__) / _DATA
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return tuple(parse_chapter(one.name.removesuffix(".toml"), one.read_bytes()) for one in files)


@cache
def shown_texts() -> dict[str, Shown]:
    """All texts that a unit can show, from its source."""
    return parse_texts((resources.files(__package__) / _TEXTS).read_bytes())


def doubled(all_chapters: Iterable[Chapter]) -> tuple[str, ...]:
    """Texts that stand twice."""
    seen: set[str] = set()
    twice: list[str] = []
    for text in (text for chapter in all_chapters for entry in chapter.entries for text in entry.texts):
        twice += [text] * (text in seen)
        seen.add(text)
    return tuple(twice)


def _entry(one: JsonObject) -> Entry:
    texts = one.texts("texts", required=True)
    if not texts:
        one.problem("texts", "is empty")
    _note_unknown(one, ("texts", "means", "unit", "person"))
    return Entry(
        texts=texts,
        means=one.text("means", required=True),
        unit=one.text("unit", required=True),
        person=one.text("person"),
    )


def _note_unknown(one: JsonObject, known: tuple[str, ...]) -> None:
    for key in one.all_keys():
        if key not in known:
            one.problem(key, "is unknown")
