"""The restore backoff: a pause before a restore that grows with the number of consecutive restores."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.restore.image_choice import INTERRUPTED
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.pause import PauseEnd, format_duration, wait_or_skip
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS
from gprov.domain.boot.budget import restore_pause
from gprov.ports.clock import Clock
from gprov.ports.operator import Operator


class RestoreBackoff:
    """``failure_hold``: seconds for which a failure is shown, from the kernel arguments; None if not given.
    ``attempt_recorded``: is this restore counted in the start budget on RECOVERY?"""

    def __init__(self, clock: Clock, operator: Operator, failure_hold: float | None, bus: EventBus) -> None:
        self._clock = clock
        self._operator = operator
        self._min_seconds = FAILURE_HOLD_SECONDS if failure_hold is None else failure_hold
        self._bus = bus
        self._series = ""
        self.attempt_recorded = False

    def begin(self, budget: StartBudgetFile, *, waited: bool) -> float:
        """Seconds to wait before this restore; 0 if it begins now. Then it is counted at once, so that a restore that
        a power cut ends is counted too. If RECOVERY cannot be written, every restore waits for the shortest pause."""
        now = self._clock.now_ns()
        previous = budget.value.at_time(now)
        pause = restore_pause(previous.restores, self._min_seconds)
        if pause and not waited:
            text = f"{previous.restores} restores in a row, and the system never ran in between"
            self._series = f"{text}; the last: {previous.reason}" if previous.reason else text
            self._bus.warning(self._series)
            return pause
        self.attempt_recorded = budget.record(previous.with_restore_started(now, INTERRUPTED))
        return 0.0 if self.attempt_recorded or waited else self._min_seconds

    def wait(self, seconds: float, event: Callable[[float], bool] | None) -> bool:
        """The screen shows for how long, and why the last restore failed. A person may cut the pause short. Returns
        False if the event came: the restore does not begin."""
        text = f"The next factory restore begins in {format_duration(seconds)}; any key: at once"
        self._bus.message(text)
        self._operator.show(f"{self._series}. {text}" if self._series else text)
        return wait_or_skip(self._operator, self._clock, seconds, event=event) is not PauseEnd.EVENT
