"""Finds the templates of a text of which only a part is known: cut at the width of a display, or without its beginning.

Both are compared without white space, since a display may have broken the lines anywhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gprov.apps.host.runbook.shown_line import squashed

# So many characters of a template in a row are needed to find it at all.
_RUN = 5
# Of a fragment, so much must be the template's own, and so many letters.
_LEAST_SHARE = 1 / 3
_LEAST_LETTERS = 6
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{\w+\}")


@dataclass(frozen=True, slots=True)
class Fitting:
    """``index``: of the template; ``overlap``: characters of the fragment that are the template's own; ``rest``: those
    of the template that the fragment lacks."""

    index: int
    overlap: int
    rest: int


class Fragments:
    """``templates``: with ``{name}`` where values are put in."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._pieces = [pieces(one) for one in templates]
        self._runs: dict[str, set[int]] = defaultdict(set)
        for index, literals in enumerate(self._pieces):
            for literal in literals:
                for start in range(len(literal) - _RUN + 1):
                    self._runs[literal[start : start + _RUN]].add(index)

    def fitting(self, fragment: str) -> tuple[Fitting, ...]:
        """Templates that have a text with this fragment, the most similar first."""
        text = squashed(fragment)
        runs = (text[start : start + _RUN] for start in range(len(text) - _RUN + 1))
        candidates = set[int]().union(*(self._runs.get(run, ()) for run in runs))
        found = [self._fitting(index, text) for index in candidates]
        least = max(_LEAST_LETTERS, len(text) * _LEAST_SHARE)
        return tuple(
            sorted(
                (one for one in found if one.overlap >= least),
                key=lambda one: (-one.overlap, one.rest, one.index),
            )
        )

    def _fitting(self, index: int, text: str) -> Fitting:
        literals = self._pieces[index]
        shared = overlap(text, literals)
        return Fitting(index, shared, sum(map(len, literals)) - shared)


def pieces(template: str) -> tuple[str, ...]:
    """What stands in front of, between and behind the placeholders, without white space; may be empty."""
    found: list[str] = [""]
    position = 0
    for value in _PLACEHOLDER.finditer(template):
        found[-1] += template[position : value.start()]
        if value[0] in ("{{", "}}"):
            found[-1] += value[0][0]
        else:
            found.append("")
        position = value.end()
    found[-1] += template[position:]
    return tuple(map(squashed, found))


def overlap(text: str, literals: tuple[str, ...]) -> int:
    """How many characters of the text are of ``literals``, if it is a part of a text of the template; else 0."""
    if any(text in literal for literal in literals):
        return len(text)
    return max(_overlap_from(text, literals[index:]) for index in range(len(literals)))


def _overlap_from(text: str, literals: tuple[str, ...]) -> int:
    """The same for a text that begins within the first of ``literals``, or in the value behind it."""
    first, *others = literals
    position = best = 0
    for size in range(min(len(first), len(text)), 0, -1):
        if text.startswith(first[-size:]):
            position = size
            break
    shared = position
    for literal in others:
        if position == len(text):
            return max(best, shared)
        # The text may end within this literal, or in the value in front of it.
        best = max(best, shared + _ending(text[position + 1 :], literal))
        found = text.find(literal, position + 1)
        if found < 0:
            return best
        shared, position = shared + len(literal), found + len(literal)
    return max(best, shared) if position == len(text) else best


def _ending(text: str, literal: str) -> int:
    """The longest beginning of the literal that the text ends with."""
    return next(size for size in range(min(len(literal), len(text)), -1, -1) if text.endswith(literal[:size]))
