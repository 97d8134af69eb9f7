"""Finds the templates that are most similar to a text: read wrongly in a photo, mistyped, or told in other words."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Letters in a row that are compared, with the blanks at the ends of words: a wrong letter spoils only three of them.
_RUN = 3
# Of the runs of text and template, so many must be the same (coefficient of Dice), and so many runs are needed.
_LEAST = 0.45
_LEAST_RUNS = 5
# What is similar to a part of the text counts less than what is as similar to all of it.
_OF_PARTS = 0.9
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{\w+\}")
_NO_LETTERS = re.compile(r"[^a-z]+")


class SimilarTexts:
    """``templates``: with ``{name}`` where values are put in."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._runs = [_runs(_PLACEHOLDER.sub(" ", one)) for one in templates]

    def most_similar(self, text: str) -> tuple[int, ...]:
        """Indices of templates, the most similar first. Values in the text, such as names of devices, count as
        differences; so what is in front of the last colon or first semicolon, or behind the first colon, is compared
        alone, too."""
        parts = {text.partition(": ")[2], text.rpartition(": ")[0], text.partition("; ")[0]} - {text}
        compared = [(_runs(text), 1.0), *((_runs(part), _OF_PARTS) for part in parts)]
        wanted = [(runs, weight) for runs, weight in compared if len(runs) >= _LEAST_RUNS]
        scores = [max((weight * _dice(own, runs) for runs, weight in wanted), default=0.0) for own in self._runs]
        found = [index for index, score in enumerate(scores) if score >= _LEAST]
        return tuple(sorted(found, key=lambda index: (-scores[index], index)))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))


def _runs(text: str) -> frozenset[str]:
    plain = " ".join(_NO_LETTERS.sub(" ", text.lower()).split())
    padded = f" {plain} " if plain else ""
    return frozenset(padded[start : start + _RUN] for start in range(len(padded) - _RUN + 1))
