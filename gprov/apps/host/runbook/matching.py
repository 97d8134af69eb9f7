"""Finds the entries of a text as a unit has shown it: the whole text, and parts that were put into it; or, of a text
that is a part of another one, the entries of all that it may be a part of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from gprov.apps.host.runbook.entries import Chapter, Entry, chapters
from gprov.apps.host.runbook.fragments import Fitting, Fragments, pieces
from gprov.apps.host.runbook.shown_line import shown_line, squashed

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
# What is added to a text: the number of further problems, the seconds of a key window, the mark of a question.
_ADDED = re.compile(r" \(and \d+ more\)$| \(\d+ s\)$|\?$")
# How deep parts in parts are looked for.
_DEPTH = 4
# Of entries that a fragment may belong to, so many are told.
MOST_FRAGMENTS = 8
_NEARLY = 0.9
# A whole text that says less than this share of what a fragment says was found by chance.
_HARDLY = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """``text``: what matched the template. ``is_whole``: False if it is only a part of one of its texts."""

    template: str
    entry: Entry
    chapter: Chapter
    text: str
    is_whole: bool = True


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
    """Entries of a text: the one of the whole text first, then those of its parts, then those of texts that it is a
    part of and that say more. Only these if they say much more. Empty if there is none."""
    known = chapters() if book is None else tuple(book)
    plain = shown_line(text)
    whole = list({one.template: one for one in reversed([*_explain(plain, _patterns(known), 0)])}.values())[::-1]
    said = sum(len("".join(pieces(one.template))) for one in whole)
    if said >= _HARDLY * len(squashed(plain)):
        return tuple(whole)
    fitting = [one for one in _fragments(known).fitting(plain) if one.overlap > said]
    if fitting and said < _HARDLY * fitting[0].overlap:
        whole = []
    return (*whole, *_parts_of(plain, fitting, known))


def _parts_of(fragment: str, fitting: Sequence[Fitting], book: tuple[Chapter, ...]) -> Iterator[Found]:
    """Entries of those that say nearly as much of the fragment as the best, each once."""
    patterns = _patterns(book)
    entries: list[Entry] = []
    for one in fitting:
        pattern = patterns[one.index]
        if one.overlap < _NEARLY * fitting[0].overlap or len(entries) == MOST_FRAGMENTS:
            return
        if pattern.entry not in entries:
            entries.append(pattern.entry)
            yield _found(pattern, fragment, is_whole=False)


@cache
def _fragments(book: tuple[Chapter, ...]) -> Fragments:
    return Fragments(one.template for one in _patterns(book))


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


def _found(pattern: _Pattern, text: str, *, is_whole: bool = True) -> Found:
    return Found(template=pattern.template, entry=pattern.entry, chapter=pattern.chapter, text=text, is_whole=is_whole)


def _explain(text: str, patterns: tuple[_Pattern, ...], depth: int) -> Iterator[Found]:
    """The best template of the text, and what explains the values in it; else what explains its parts between
    semicolons; else the text behind its first colon: a subject is in front of most reasons."""
    if depth > _DEPTH or not text:
        return
    for one in patterns:
        if match := one.expression.fullmatch(text):
            yield _found(one, text)
            for value in match.groups():
                yield from _explain(value, patterns, depth + 1)
            return
    shorter = _ADDED.sub("", text)
    if shorter != text:
        yield from _explain(shorter, patterns, depth)
        return
    first, *others = text.split("; ")
    head, colon, rest = text.partition(": ")
    if others:
        for part in (first, *others):
            yield from _explain(part, patterns, depth + 1)
    elif colon:
        yield from (_found(one, head) for one in patterns if one.expression.fullmatch(head))
        yield from _explain(rest, patterns, depth)
