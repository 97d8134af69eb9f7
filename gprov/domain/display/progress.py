"""Progress events as views, with rate and time left."""

from __future__ import annotations

from gprov.domain.display.views import ProgressView
from gprov.domain.estimate import FRACTION, Estimate
from gprov.domain.events import Progress

# Tasks run in parallel on each disk of a unit; beyond that, tasks that never ended are forgotten.
_MOST_TASKS = 64


class ProgressViews:
    """Makes the views of one run's tasks."""

    def __init__(self) -> None:
        self._estimates: dict[tuple[str, int], Estimate] = {}

    def view(self, progress: Progress, seconds: float) -> ProgressView:
        """``seconds``: time of the event on the monotonic clock."""
        key = (progress.task, progress.total)
        estimate = self._estimates.pop(key, None) or Estimate(progress.total)
        estimate.add(seconds, progress.done)
        if not is_finished(progress):
            self._estimates[key] = estimate
            while len(self._estimates) > _MOST_TASKS:
                del self._estimates[next(iter(self._estimates))]
        in_bytes = not 0 < progress.total <= FRACTION
        return ProgressView(
            task=progress.task,
            done=progress.done,
            total=progress.total,
            rate=(estimate.rate or 0.0) if in_bytes else 0.0,
            seconds_left=estimate.seconds_left,
        )


def is_finished(progress: Progress | ProgressView) -> bool:
    return progress.total > 0 and progress.done >= progress.total
