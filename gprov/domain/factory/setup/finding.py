"""What a check of a factory folder found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput


class Level(Enum):
    """The values are shown. PROBLEM: units cannot be provisioned, or not safely; WARNING: deserves a look, or could not
    be checked."""

    PROBLEM = "problem"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``subject``: file, address or device; ``place``: in it, "" for all of it; ``message``: what is wrong; ``remedy``:
    what to do, "" if the message says it."""

    level: Level
    subject: str
    message: str
    remedy: str = ""
    place: str = ""

    def describe(self) -> str:
        where = f"{self.subject}: {self.place}: " if self.place else f"{self.subject}: "
        return f"{where}{self.message}{f' ({self.remedy})' if self.remedy else ''}"


def problem(subject: str, message: str, remedy: str = "") -> Finding:
    return Finding(level=Level.PROBLEM, subject=subject, message=message, remedy=remedy)


def warning(subject: str, message: str, remedy: str = "") -> Finding:
    return Finding(level=Level.WARNING, subject=subject, message=message, remedy=remedy)


def problems_of(error: BadInput, remedy: str = "") -> Iterable[Finding]:
    """One for each problem."""
    return (
        Finding(level=Level.PROBLEM, subject=error.what, message=each.message, remedy=remedy, place=each.place)
        for each in error.problems
    )
