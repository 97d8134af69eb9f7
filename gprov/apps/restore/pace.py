"""When a restore begins: at once, or later if there were some in a row between which the system never ran."""

from __future__ import annotations

from gprov.apps.restore.choose import UNENDED
from gprov.apps.unit.recovery.budget import BudgetFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.hold import hold, spoken
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS
from gprov.domain.boot.budget import restore_pause
from gprov.ports.clock import Clock
from gprov.ports.operator import Operator


class Pace:
    """``failure_hold``: for how long the kernel arguments say that a failure is shown; None if they do not say it.
    ``counted``: does RECOVERY know of the restore that begins?"""

    def __init__(self, clock: Clock, operator: Operator, failure_hold: float | None, bus: EventBus) -> None:
        self._clock = clock
        self._operator = operator
        self._shortest = FAILURE_HOLD_SECONDS if failure_hold is None else failure_hold
        self._bus = bus
        self.counted = False

    def begin(self, budget: BudgetFile, *, waited: bool) -> float:
        """Seconds to wait before this restore; 0 if it begins now. Then it is counted, so that one that ends in a power
        cut counts, too. Where nobody can count, every restore waits for a moment."""
        now = self._clock.now_ns()
        before = budget.value.at(now)
        pause = restore_pause(before.restores, self._shortest)
        if pause and not waited:
            text = f"{before.restores} restores in a row, and the system never ran in between"
            self._bus.warning(f"{text}; the last: {before.reason}" if before.reason else text)
            return pause
        self.counted = budget.record(before.restore_began(now, UNENDED))
        return 0.0 if self.counted or waited else self._shortest

    def wait(self, seconds: float) -> None:
        """A person may cut it short."""
        text = f"The next factory restore begins in {spoken(seconds)}; any key: at once"
        self._bus.message(text)
        self._operator.show(text)
        hold(self._operator, self._clock, seconds)
