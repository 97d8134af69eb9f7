"""Geometry of bar charts, in the units of an SVG view box. Drawing is for templates, words for the table beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One value. ``y`` counts from the top."""

    label: str
    value: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A horizontal line and the value that it stands for."""

    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """``bars``: one sequence for each series; those of one label stand on each other, the first at the bottom."""

    width: float
    height: float
    bars: Sequence[Sequence[Bar]]
    grid: Sequence[Grid]


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= value:
                return float(step * size)
        size *= 10


def stacked_bars(
    labels: Sequence[str], series: Sequence[Sequence[float]], width: float = 640.0, height: float = 180.0
) -> Chart:
    """``series``: each has one value, from 0, for each label."""
    totals = [sum(values) for values in zip(*series, strict=True)]
    top = nice_ceiling(max(totals, default=0.0))
    slot = width / max(len(labels), 1)
    bottoms = [0.0] * len(labels)
    bars = []
    for values in series:
        row = []
        for index, (label, value) in enumerate(zip(labels, values, strict=True)):
            size = height * value / top
            at = slot * (index + 0.1)
            base = height - bottoms[index]
            row.append(Bar(label=label, value=value, x=at, y=base - size, width=slot * 0.8, height=size))
            bottoms[index] += size
        bars.append(row)
    lines = [Grid(height - height * part / 4, top * part / 4) for part in range(5)]
    return Chart(width, height, bars, lines)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that ``share`` (0 to 1) of all do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if share < 1 else ordered[-1]
