"""Order in which a restore tries images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput
from gprov.domain.image.companions import is_companion
from gprov.domain.image.history import MAX_FAILURES, History
from gprov.domain.image.name import ImageName, parse_image_name


class Preference(Enum):
    LATEST = "latest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that is not a candidate because of its name."""

    filename: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """``candidates`` in order of preference; ``rejected`` by name."""

    candidates: tuple[ImageName, ...]
    rejected: tuple[Rejected, ...]


def rank(filenames: Iterable[str], prefix: str, preference: Preference) -> Ranking:
    """Sort the names of a folder into candidates and rejected. Files that belong beside images are neither."""
    candidates: list[ImageName] = []
    rejected: list[Rejected] = []
    for filename in sorted(set(filenames)):
        if is_companion(filename, prefix):
            continue
        try:
            candidates.append(parse_image_name(filename, prefix))
        except BadInput as error:
            rejected.append(Rejected(filename, "; ".join(str(problem) for problem in error.problems)))
    candidates.sort(reverse=preference is Preference.LATEST)
    return Ranking(tuple(candidates), tuple(rejected))


def order_with_history(
    candidates: Iterable[ImageName], history: History, max_failures: int = MAX_FAILURES
) -> tuple[tuple[ImageName, ...], tuple[ImageName, ...]]:
    """First result: images with at most ``max_failures`` failures, in the given order. Second result: the others and
    the rejected ones, those with the fewest failures first."""
    preferred = tuple(candidates)
    first = tuple(name for name in preferred if history.result(name.stem).rank <= max_failures)
    second = [name for name in preferred if history.result(name.stem).rank > max_failures]
    second.sort(key=lambda name: history.result(name.stem).rank)
    return first, tuple(second)
