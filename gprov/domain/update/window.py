"""Times of the week at which the owner of a unit allows a restore, in the unit's local time.

A window is days and hours: ``Sat,Sun 02:00-04:00``, ``Mon-Fri 22:00-05:00``, ``02:00-04:00`` (every day). One that ends
before it begins goes on into the next day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
_TIMES = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_EXPECTED = "must be days and times, as Sat,Sun 02:00-04:00 or Mon-Fri 22:00-05:00 or 02:00-04:00"


@dataclass(frozen=True, slots=True)
class LocalMinute:
    """A time of the week. ``weekday``: 0 is Monday; ``minute``: of the day."""

    weekday: int
    minute: int


@dataclass(frozen=True, slots=True)
class Window:
    """``begin`` and ``end``: minutes of the day; ``end`` itself is outside. ``end`` <= ``begin``: of the next day."""

    weekdays: frozenset[int]
    begin: int
    end: int

    def holds(self, now: LocalMinute) -> bool:
        if self.begin < self.end:
            return now.weekday in self.weekdays and self.begin <= now.minute < self.end
        if now.minute >= self.begin:
            return now.weekday in self.weekdays
        return now.minute < self.end and (now.weekday - 1) % 7 in self.weekdays

    def describe(self) -> str:
        """Text from which ``parse_window`` makes the same window."""
        days = "" if len(self.weekdays) == 7 else ",".join(DAYS[day] for day in sorted(self.weekdays)) + " "
        return f"{days}{_clock(self.begin)}-{_clock(self.end)}"


def parse_window(text: str) -> Window:
    """Raises BadInput."""
    days, _, times = text.strip().rpartition(" ")
    match = _TIMES.fullmatch(times)
    weekdays = _weekdays(days.strip()) if days else frozenset(range(7))
    if match is None or weekdays is None:
        raise BadInput("window", [Problem("", f"{_EXPECTED}, is {text[:60]!r}")])
    hours_minutes = [int(group) for group in match.groups()]
    begin, end = _minute(*hours_minutes[:2]), _minute(*hours_minutes[2:])
    if begin is None or end is None or begin == DAY_MINUTES:
        raise BadInput("window", [Problem("", f"has a time that no day has: {text[:60]!r}")])
    if begin == end:
        raise BadInput("window", [Problem("", f"ends when it begins: {text[:60]!r}; 00:00-24:00 is a whole day")])
    return Window(weekdays, begin, end)


def is_allowed(windows: Sequence[Window], now: LocalMinute) -> bool:
    """Without windows, any time is allowed."""
    return not windows or any(window.holds(now) for window in windows)


def minutes_until(windows: Sequence[Window], now: LocalMinute) -> int:
    """Until the next window begins. ``windows``: one at least."""
    here = now.weekday * DAY_MINUTES + now.minute
    begins = (day * DAY_MINUTES + window.begin for window in windows for day in window.weekdays)
    return min((begin - here) % (7 * DAY_MINUTES) for begin in begins)


def describe_windows(windows: Iterable[Window]) -> str:
    return " or ".join(window.describe() for window in windows) or "any time"


def _weekdays(text: str) -> frozenset[int] | None:
    """None if the text names no days."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip().title() for word in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            return None
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        found |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(found)


def _minute(hours: int, minutes: int) -> int | None:
    """None for no time of a day; 24:00 is its end."""
    minute = hours * 60 + minutes
    return minute if minutes < 60 and minute <= DAY_MINUTES else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
