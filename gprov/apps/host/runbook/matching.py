"""Finds the entries of a text as a unit has shown it: the whole text, and parts that were put into it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from gprov.apps.host.runbook.entries import Chapter, Entry, chapters

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
# Line of a log (time, severity), or what a display puts in front.
_HEAD = re.compile(r"(?:\S+Z (?:LOG|MSG|WARNING|ERROR) |Warning: |ERROR: |gprov: )+")
# "and so on" of a message with several problems.
_MORE = re.compile(r" \(and \d+ more\)$")
# How deep parts in parts are looked for.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Found:
    """``text``: what matched the template."""

    template: str
    entry: Entry
    chapter: Chapter
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pattern:
    template: str
    expression: re.Pattern[str]
    weight: int
    entry: Entry
    chapter: Chapter


def literal(template: str) -> str:
    """What of a template is always the same."""
    return _PLACEHOLDER.sub(lambda found: found[0][0] if found[1] is None else "", template)


def expression(template: str) -> re.Pattern[str]:
    """Matches texts of the template: any characters, at least one, for each placeholder."""
    parts: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(template):
        parts.append(re.escape(template[position : found.start()]))
        parts.append(re.escape(found[0][0]) if found[1] is None else "(.+?)")
        position = found.end()
    return re.compile("".join((*parts, re.escape(template[position:]))), re.DOTALL | re.IGNORECASE)


def explain(text: str, book: Iterable[Chapter] | None = None) -> tuple[Found, ...]:
    """Entries of a text, the one of the whole text first, then those of its parts. Empty if there is none."""
    patterns = _patterns(chapters() if book is None else tuple(book))
    plain = _HEAD.sub("", " ".join(text.split()), count=1)
    found = list(_explain(plain, patterns, 0))
    return tuple({one.template: one for one in reversed(found)}.values())[::-1]


def is_known(text: str) -> bool:
    """Is there an entry of the whole text, or of the last part of "SUBJECT: REASON"?"""
    return bool(explain(text))


@cache
def _patterns(book: tuple[Chapter, ...]) -> tuple[_Pattern, ...]:
    """Those that begin with words of their own first, then those with the most of them: in "no remote log: /dev/sda:
    cannot be read" the reason stands behind."""
    found = [
        _Pattern(
            template=text,
            expression=expression(" ".join(text.split())),
            weight=len(literal(text)),
            entry=entry,
            chapter=chapter,
        )
        for chapter in book
        for entry in chapter.entries
        for text in entry.texts
        if re.search(r"[A-Za-z]", literal(text))
    ]
    return tuple(
        sorted(
            found,
            key=lambda one: (
                one.template.startswith("{") and not one.template.startswith("{{"),
                -one.weight,
                one.template,
            ),
        )
    )


def _explain(text: str, patterns: tuple[_Pattern, ...], depth: int) -> Iterator[Found]:
    """The best template of the text, and what explains the values in it; else what explains the text behind its first
    colon: a subject is in front of most reasons."""
    if depth > _DEPTH or not text:
        return
    for one in patterns:
        if match := one.expression.fullmatch(text):
            yield Found(one.template, one.entry, one.chapter, text)
            for value in match.groups():
                yield from _explain(value, patterns, depth + 1)
            return
    shorter = _MORE.sub("", text)
    if shorter != text:
        yield from _explain(shorter, patterns, depth)
        return
    head, colon, rest = text.partition(": ")
    if colon:
        yield from (
            Found(one.template, one.entry, one.chapter, head) for one in patterns if one.expression.fullmatch(head)
        )
        yield from _explain(rest, patterns, depth)
