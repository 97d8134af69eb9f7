"""Texts of the source that no unit shows, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from tools.shown_texts.collect import Kind

# Modules, by the beginning of their names, whose sentences are no texts that a unit shows. Errors of theirs count.
MODULES: dict[str, str] = {}
# Single texts.
TEXTS: dict[str, str] = {}


def is_left_out(template: str, places: AbstractSet[str], kinds: AbstractSet[Kind]) -> bool:
    if template in TEXTS:
        return True
    return kinds <= {Kind.PART, Kind.LOG} and all(is_in(place, MODULES) for place in places)


def is_in(place: str, modules: Iterable[str]) -> bool:
    return any(re.fullmatch(rf"{re.escape(one)}(?:\..*)?", place) for one in modules)
