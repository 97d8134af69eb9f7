"""Numbers over many units, as tables and charts show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.domain.factory.view.charts import percentile
from gprov.domain.factory.view.known_failures import advise

_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS


class Span(Enum):
    """Spans of time. The values stand in addresses."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def words(self) -> str:
        return {Span.DAY: "24 hours", Span.WEEK: "7 days", Span.MONTH: "30 days"}[self]

    @property
    def parts(self) -> int:
        return {Span.DAY: 24, Span.WEEK: 7, Span.MONTH: 30}[self]

    @property
    def part_ns(self) -> int:
        return _HOUR_NS if self is Span.DAY else _DAY_NS

    def start(self, now_ns: int) -> int:
        """Of the first part: parts are whole hours or days of UTC, and the last one is not over."""
        return (now_ns // self.part_ns - self.parts + 1) * self.part_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """``platforms``: code names with their counts, the most frequent first."""

    label: str
    count: int
    platforms: Sequence[tuple[str, int]]


def failure_kinds(failures: Iterable[tuple[str, str]]) -> Sequence[FailureKind]:
    """``failures``: code name and text of the error. The most frequent first."""
    counted: dict[str, Counter[str]] = {}
    for code_name, error in failures:
        counted.setdefault(advise(error).label, Counter())[code_name] += 1
    kinds = [
        FailureKind(label=label, count=names.total(), platforms=_ordered(names)) for label, names in counted.items()
    ]
    return sorted(kinds, key=lambda kind: (-kind.count, kind.label))


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationSummary:
    """Nanoseconds. ``most``: nine of ten took no longer."""

    code_name: str
    count: int
    median_ns: int
    most_ns: int
    longest_ns: int


def duration_summaries(durations: Iterable[tuple[str, int]]) -> Sequence[DurationSummary]:
    """By code name."""
    grouped: dict[str, list[int]] = {}
    for code_name, duration_ns in durations:
        grouped.setdefault(code_name, []).append(duration_ns)
    return [
        DurationSummary(
            code_name=code_name,
            count=len(values),
            median_ns=int(percentile(values, 0.5) or 0),
            most_ns=int(percentile(values, 0.9) or 0),
            longest_ns=max(values),
        )
        for code_name, values in sorted(grouped.items())
    ]


def _ordered(names: Counter[str]) -> Sequence[tuple[str, int]]:
    return sorted(names.items(), key=lambda item: (-item[1], item[0]))
