"""Finds the entries of a text as a unit has shown it: the whole text, and parts that were put into it; or, of a text
that is a part of another one, the entries of all that it may be a part of; or of those that are similar to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from gprov.apps.host.runbook.entries import Chapter, Entry, chapters
from gprov.apps.host.runbook.fragments import Fitting, Fragments, pieces
from gprov.apps.host.runbook.shown_line import shown_line, squashed
from gprov.apps.host.runbook.similar import SimilarTexts

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
# What is added to a text: the number of further problems, the seconds of a key window, the mark of a question.
_ADDED = re.compile(r" \(and \d+ more\)$| \(\d+ s\)$|\?$")
# How deep parts in parts are looked for.
_DEPTH = 4
# Templates of a text that are compared.
_READINGS = 2
# Of entries that a fragment may belong to, so many are told.
MOST_FRAGMENTS = 8
# What says less than so many letters, behind a subject, was found by chance.
_LEAST_SAID = 3
# Of a reason that was cut, so many characters are needed.
_LEAST_REASON = 8
# So many entries are offered for a text that the runbook does not have.
MOST_SIMILAR = 3
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
    said = _said(whole)
    if said < _LEAST_SAID and whole and whole[0].text != plain:
        whole = []
    if said >= _HARDLY * len(squashed(plain)):
        return tuple(whole)
    fitting = [one for one in _fragments(known).fitting(plain) if one.overlap > said]
    if fitting and said < _HARDLY * fitting[0].overlap and fitting[0].overlap >= _HARDLY * len(squashed(plain)):
        whole = []
    found = (*whole, *_parts_of(plain, fitting, known))
    # A subject may stand in front of a reason that was cut.
    rest = plain.partition(": ")[2]
    return found or (explain(rest, known) if len(squashed(rest)) >= _LEAST_REASON else ())


def similar(text: str, book: Iterable[Chapter] | None = None) -> tuple[Found, ...]:
    """Entries whose texts are similar to a text that ``explain`` does not find, the most similar first, each once."""
    known = chapters() if book is None else tuple(book)
    plain, patterns = shown_line(text), _patterns(known)
    entries: dict[int, _Pattern] = {}
    for index in _similar_texts(known).most_similar(plain):
        entries.setdefault(id(patterns[index].entry), patterns[index])
    return tuple(_found(one, plain, is_whole=False) for one in list(entries.values())[:MOST_SIMILAR])


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
def _similar_texts(book: tuple[Chapter, ...]) -> SimilarTexts:
    return SimilarTexts(one.template for one in _patterns(book))


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


def _each(texts: Iterable[str], patterns: tuple[_Pattern, ...], depth: int) -> Iterator[Found]:
    for text in texts:
        yield from _explain(text, patterns, depth + 1)


def _said(found: Iterable[Found]) -> int:
    """How many characters of the text are those of the templates."""
    return sum(len("".join(pieces(one))) for one in {each.template for each in found})


def _explain(text: str, patterns: tuple[_Pattern, ...], depth: int) -> Iterator[Found]:
    """The best template of the text, and what explains the values in it; or what explains its parts between
    semicolons, if that says more; else the text behind its first colon: a subject is in front of most reasons."""
    if depth > _DEPTH or not text:
        return
    matches = ((one, match) for one in patterns if (match := one.expression.fullmatch(text)))
    # A value may be a sentence that says more than the words of the first template.
    readings = [
        [_found(one, text), *_each(match.groups(), patterns, depth)] for one, match in islice(matches, _READINGS)
    ]
    if readings:
        if "; " in text:
            readings.append([*_each(text.split("; "), patterns, depth)])
        yield from max(readings, key=_said)
        return
    shorter = _ADDED.sub("", text)
    if shorter != text:
        yield from _explain(shorter, patterns, depth)
        return
    first, *others = text.split("; ")
    head, colon, rest = text.partition(": ")
    if others:
        yield from _each((first, *others), patterns, depth)
    elif colon:
        yield from (_found(one, head) for one in patterns if one.expression.fullmatch(head))
        yield from _explain(rest, patterns, depth)
