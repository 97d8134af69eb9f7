"""Time on displays, in whole ticks: a picture depends on the tick only, so that no rounding moves its changes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf

# A power of two: seconds and ticks convert without rounding.
TICKS_PER_SECOND = 8
NEVER = inf


def to_ticks(seconds: float) -> int:
    """Whole ticks that have passed; negative times count as 0."""
    return max(0, floor(seconds * TICKS_PER_SECOND))


def to_seconds(tick: float) -> float:
    return tick / TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Motion:
    """A position that moves from 0 to ``steps`` and begins anew: first a pause, then one step per ``step`` ticks, then
    a pause at the end. ``pause``, ``step``: in ticks."""

    steps: int
    pause: int
    step: int

    def position(self, tick: int) -> int:
        return self._phase(tick)[0]

    def next_change(self, tick: int) -> float:
        """The tick of the next change after ``tick``; NEVER without steps."""
        return self._phase(tick)[1]

    def _phase(self, tick: int) -> tuple[int, float]:
        if self.steps <= 0:
            return 0, NEVER
        moving = (self.steps - 1) * self.step
        cycle = 2 * self.pause + moving
        phase = tick % cycle
        start = tick - phase
        if phase < self.pause:
            return 0, start + self.pause
        if phase < self.pause + moving:
            done = (phase - self.pause) // self.step
            return 1 + done, start + self.pause + (done + 1) * self.step
        return self.steps, start + cycle


@dataclass(frozen=True, slots=True)
class Countdown:
    """Whole seconds that are left of ``seconds``, rounded up; 0 afterwards."""

    seconds: float

    def left(self, tick: int) -> int:
        return ceil(self._ticks_left(tick) / TICKS_PER_SECOND)

    def next_change(self, tick: int) -> float:
        left = self._ticks_left(tick)
        return tick + ((left - 1) % TICKS_PER_SECOND + 1) if left else NEVER

    def _ticks_left(self, tick: int) -> int:
        return max(0, ceil(self.seconds * TICKS_PER_SECOND) - tick)
